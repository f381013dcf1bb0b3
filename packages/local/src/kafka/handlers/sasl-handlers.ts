import type { Handlers } from '../network/dispatcher.ts'
import { ErrorCode } from '../protocol/error-code.ts'

const errorCode = ErrorCode.ILLEGAL_SASL_STATE

/** SaslHandshake and SaslAuthenticate; on a listener without users both are refused, as by Apache Kafka. */
export const saslHandlers: Pick<Handlers, 'saslHandshake' | 'saslAuthenticate'> = {
  saslHandshake: ({ mechanism }, { sasl, apiVersion }) =>
    sasl?.handshake(mechanism, apiVersion) ?? { errorCode, mechanisms: [] },

  saslAuthenticate: ({ authBytes }, { sasl }) =>
    sasl?.authenticate(authBytes) ?? {
      errorCode,
      errorMessage: 'SaslAuthenticate request received on a listener without SASL',
      authBytes: Buffer.alloc(0),
    },
}
