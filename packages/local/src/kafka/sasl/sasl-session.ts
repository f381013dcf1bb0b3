import { StockpipeError } from '@stockpipe/core'
import type { ResponseOf } from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { KafkaUsers } from './kafka-users.ts'
import { PlainServer } from './plain-server.ts'
import { SaslFailure, type SaslMechanism, type SaslServer, saslMechanisms } from './sasl-mechanism.ts'
import { ScramServer } from './scram-server.ts'

/** The steps of a connection to a listener with users, in their order. */
type Step = 'ApiVersions or SaslHandshake' | 'SaslHandshake' | 'SaslAuthenticate' | 'authenticated' | 'failed'

/** How far one connection has come with its authentication. */
export class SaslSession {
  readonly #users: KafkaUsers
  #step: Step = 'ApiVersions or SaslHandshake'
  #server: SaslServer | undefined
  #isRaw = false

  constructor(users: KafkaUsers) {
    this.#users = users
  }

  /** After a handshake v0 the client's messages come in frames of their own, without a request around them. */
  get takesRawMessages(): boolean {
    return this.#isRaw && this.#step === 'SaslAuthenticate'
  }

  /** The connection is to be closed once its last answer is written. */
  get hasFailed(): boolean {
    return this.#step === 'failed'
  }

  /**
   * Whether the request may be served; between handshake and credentials no other may, and it is answered with an error.
   * Throws when it comes before the handshake: its connection is closed without an answer. Both as by Apache Kafka.
   */
  admit(api: string): boolean {
    if (this.#step === 'authenticated' || this.#step.split(' or ').includes(api)) {
      if (api === 'ApiVersions' && this.#step === 'ApiVersions or SaslHandshake') this.#step = 'SaslHandshake'
      return true
    }
    if (this.#step === 'SaslAuthenticate') {
      this.#step = 'failed'
      return false
    }
    throw new StockpipeError({
      code: 'ILLEGAL_SASL_STATE',
      message: `${api} came before the client was authenticated; ${this.#step} was expected.`,
    })
  }

  handshake(mechanism: string, apiVersion: number): ResponseOf<'saslHandshake'> {
    const mechanisms = [...saslMechanisms]
    if (this.#step === 'authenticated') return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
    if (!isMechanism(mechanism)) {
      this.#step = 'failed'
      return { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms }
    }
    this.#server =
      mechanism === 'PLAIN' ? new PlainServer(this.#users) : new ScramServer(mechanism, this.#users)
    this.#isRaw = apiVersion === 0
    this.#step = 'SaslAuthenticate'
    return { errorCode: ErrorCode.NONE, mechanisms }
  }

  async authenticate(authBytes: Buffer): Promise<ResponseOf<'saslAuthenticate'>> {
    const noBytes = Buffer.alloc(0)
    if (this.#step !== 'SaslAuthenticate' || this.#server === undefined) {
      const errorMessage = 'SaslAuthenticate request received after successful authentication'
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage, authBytes: noBytes }
    }
    try {
      const answer = await this.#server.next(authBytes)
      if (this.#server.isComplete) this.#step = 'authenticated'
      return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: answer }
    } catch (error) {
      if (!(error instanceof SaslFailure)) throw error
      this.#step = 'failed'
      const errorCode = ErrorCode.SASL_AUTHENTICATION_FAILED
      return { errorCode, errorMessage: error.message, authBytes: noBytes }
    }
  }

  /** Serves a message without a request around it; throws when it fails, as there is no place for an error. */
  async authenticateRaw(message: Buffer): Promise<Buffer> {
    const { errorCode, errorMessage, authBytes } = await this.authenticate(message)
    if (errorCode === ErrorCode.NONE) return authBytes
    throw new StockpipeError({ code: 'SASL_AUTHENTICATION_FAILED', message: errorMessage ?? '' })
  }
}

const isMechanism = (name: string): name is SaslMechanism => saslMechanisms.includes(name as SaslMechanism)
