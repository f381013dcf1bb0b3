import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { KafkaUsers, ScramCredential } from './kafka-users.ts'
import { SaslFailure, type SaslServer, type ScramMechanism, scramHash } from './sasl-mechanism.ts'

/** Without channel binding: optional authorization id, name, nonce, extensions (RFC 5802, section 7). */
const clientFirstPattern = /^(n,(?:a=([^,]+))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/
const clientFinalPattern = /^(c=([^,]+),r=([^,]+)(?:,[^,]+)*),p=([^,]+)$/

interface Exchange {
  readonly credential: ScramCredential
  readonly header: string
  readonly nonce: string
  /** The first messages of client and server, as both sign them. */
  readonly firstMessages: string
}

/** SCRAM (RFC 5802): two messages from the client, which prove that it knows the password without telling it. */
export class ScramServer implements SaslServer {
  readonly #mechanism: ScramMechanism
  readonly #users: KafkaUsers
  #exchange: Exchange | undefined
  isComplete = false

  constructor(mechanism: ScramMechanism, users: KafkaUsers) {
    this.#mechanism = mechanism
    this.#users = users
  }

  async next(message: Buffer): Promise<Buffer> {
    const text = message.toString('utf8')
    const answer = this.#exchange === undefined ? await this.#first(text) : this.#final(text, this.#exchange)
    return Buffer.from(answer)
  }

  async #first(text: string): Promise<string> {
    const match = clientFirstPattern.exec(text)
    if (match === null) throw this.#refused()
    const [, header, authorizationId, bare, sentName, clientNonce] = match
    const name = unescapedName(sentName!)
    const credential = await this.#users.scramCredential(this.#mechanism, name)
    if (credential === undefined) throw this.#refused()
    if (authorizationId !== undefined && unescapedName(authorizationId) !== name) throw this.#refused()
    const nonce = `${clientNonce}${randomBytes(24).toString('base64url')}`
    const answer = `r=${nonce},s=${credential.salt.toString('base64')},i=${credential.iterations}`
    this.#exchange = { credential, header: header!, nonce, firstMessages: `${bare},${answer}` }
    return answer
  }

  #final(text: string, { credential, header, nonce, firstMessages }: Exchange): string {
    const match = clientFinalPattern.exec(text)
    if (match === null) throw this.#refused()
    const [, withoutProof, binding, sentNonce, sentProof] = match
    const hash = scramHash[this.#mechanism]
    const proof = Buffer.from(sentProof!, 'base64')
    const isOfExchange = sentNonce === nonce && Buffer.from(binding!, 'base64').toString() === header
    if (!isOfExchange || proof.length !== hash.bytes) throw this.#refused()
    const signed = `${firstMessages},${withoutProof}`
    const signature = createHmac(hash.name, credential.storedKey).update(signed).digest()
    const clientKey = signature.map((byte, index) => byte ^ proof[index]!)
    if (!timingSafeEqual(createHash(hash.name).update(clientKey).digest(), credential.storedKey)) {
      throw this.#refused()
    }
    this.isComplete = true
    return `v=${createHmac(hash.name, credential.serverKey).update(signed).digest('base64')}`
  }

  #refused(): SaslFailure {
    return new SaslFailure(
      `Authentication failed during authentication due to invalid credentials with SASL mechanism ${this.#mechanism}`,
    )
  }
}

const unescapedName = (name: string): string => name.replaceAll('=2C', ',').replaceAll('=3D', '=')
