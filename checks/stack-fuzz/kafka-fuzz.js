import { connect } from 'node:net'
import { within } from '../stack/stack-process.js'
import { makeFrame } from './kafka-frames.js'

/** An answer that takes longer waits for what never comes, such as other members or bytes: our end is closed. */
const patienceMillis = 150
const endBoundMillis = 30_000

/** Sends mutated frames on connections of its own, one after the other. */
export class KafkaFuzzer {
  #port
  #random
  #socket

  constructor(port, random) {
    this.#port = port
    this.#random = random
  }

  /** True when a handler answered. Rejects when the broker neither answers nor lets the connection end. */
  async send(isSound) {
    const { apiKey, correlationId, frame } = makeFrame(this.#random, isSound)
    if (this.#socket?.destroyed || this.#socket?.writable === false) this.#socket = undefined
    const socket = (this.#socket ??= this.#connect())
    const outcome = new Promise((resolve) => {
      let received = Buffer.alloc(0)
      const settle = (answered, isReusable) => {
        socket.off('data', onData).off('close', onClose)
        clearTimeout(patience)
        resolve({ answered, isReusable })
      }
      const onData = (chunk) => {
        received = Buffer.concat([received, chunk])
        if (received.length < 8 || received.length < received.readInt32BE(0) + 4) return
        settle(received.readInt32BE(4) === correlationId, isSound && socket.writable)
      }
      const onClose = () => settle(false, false)
      const patience = setTimeout(() => socket.end(), isSound ? patienceMillis : 0)
      socket.on('data', onData).on('close', onClose)
      socket.write(frame)
    })
    const { answered, isReusable } = await within(
      outcome,
      endBoundMillis,
      `API ${apiKey}, frame ${frame.toString('base64')}`,
    )
    if (!isReusable) {
      this.#socket = undefined
      socket.destroy()
    }
    return answered
  }

  close() {
    this.#socket?.destroy()
  }

  #connect() {
    const socket = connect(this.#port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    return socket
  }
}
