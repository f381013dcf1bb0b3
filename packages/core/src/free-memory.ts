import { MessageChannel, type MessagePort } from 'node:worker_threads'

let nowhere: MessagePort | undefined

/** A port whose other end is closed. */
const portToNowhere = (): MessagePort => {
  const { port1, port2 } = new MessageChannel()
  port2.close()
  port1.unref()
  return port1
}

/**
 * Frees the memory of bytes that nobody looks into any more, where all of a buffer is theirs: at once, while a garbage
 * collection comes only when much has gathered, and marks the whole heap. The bytes are none afterwards.
 */
export const freeMemory = ({ buffer, byteLength }: Uint8Array): void => {
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength) return
  nowhere ??= portToNowhere()
  nowhere.postMessage(undefined, [buffer])
}
