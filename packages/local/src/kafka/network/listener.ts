import { createServer, type Server } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { ConfigurationError } from '@stockpipe/core'
import type { RequestLogEntry } from './connection.ts'

/** TLS of the broker's listener; each value is PEM. */
export interface KafkaTls {
  /** The private key. Never printed. */
  readonly key: string | Buffer
  /** The certificate of the broker, with those that signed it behind it. */
  readonly cert: string | Buffer
  /** Who signs the certificates of clients. */
  readonly ca?: string | Buffer
  /** Refuses clients without a certificate signed by `ca`. Default false. */
  readonly requestClientCertificate?: boolean
}

/** A server, and the event by which it hands over a socket that may carry requests. */
export interface Listener {
  readonly server: Server
  /** With TLS the one after the handshake. */
  readonly socketEvent: 'connection' | 'secureConnection'
}

/**
 * Makes the server of a broker's listener, with TLS or without.
 *
 * Throws a ConfigurationError, `KAFKA_TLS_INVALID`, when key and certificates cannot be used.
 */
export const createListener = (tls?: KafkaTls): Listener =>
  tls === undefined
    ? { server: createServer(), socketEvent: 'connection' }
    : { server: createSecureServer(tls), socketEvent: 'secureConnection' }

/** What the log tells of a client whose TLS handshake failed: it never came to a request. */
export const failedHandshake = (
  { message }: Error,
  { remoteAddress = '', remotePort = 0 }: TLSSocket,
): RequestLogEntry => ({
  api: 'TlsHandshake',
  apiVersion: -1,
  clientId: null,
  remoteAddress: `${remoteAddress}:${remotePort}`,
  durationMillis: 0,
  requestBytes: 0,
  responseBytes: 0,
  error: message,
})

const createSecureServer = (tls: KafkaTls): Server => {
  const { key, cert, ca, requestClientCertificate = false } = tls
  if (!key || !cert) throw invalid('it needs a key and a cert')
  if (requestClientCertificate && !ca) {
    throw invalid('requestClientCertificate needs the ca that signs the certificates of clients')
  }
  try {
    return createTlsServer({
      key,
      cert,
      ca,
      requestCert: requestClientCertificate,
      rejectUnauthorized: requestClientCertificate,
    })
  } catch (cause) {
    throw invalid(`the key, cert or ca cannot be used (${(cause as Error).message})`)
  }
}

const invalid = (problem: string): ConfigurationError =>
  new ConfigurationError({
    code: 'KAFKA_TLS_INVALID',
    message: `The TLS settings of the embedded Kafka broker cannot be taken: ${problem}. Pass key and cert as PEM.`,
  })
