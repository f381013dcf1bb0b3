/** The hash of each SCRAM mechanism. */
export const scramHash = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
} as const

export type ScramMechanism = keyof typeof scramHash
export type SaslMechanism = 'PLAIN' | ScramMechanism

/** What the broker offers on a listener with users. */
export const saslMechanisms: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** The server's side of one authentication. */
export interface SaslServer {
  readonly isComplete: boolean
  /** Takes the client's next message and returns the answer to it; throws a SaslFailure. */
  next(message: Buffer): Promise<Buffer>
}

/** Credentials that do not fit; the message goes to the client and tells nothing it did not send. */
export class SaslFailure extends Error {
  override readonly name = 'SaslFailure'
}
