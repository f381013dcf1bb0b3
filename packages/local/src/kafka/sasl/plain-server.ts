import type { KafkaUsers } from './kafka-users.ts'
import { SaslFailure, type SaslServer } from './sasl-mechanism.ts'

/** SASL/PLAIN (RFC 4616): one message with authorization id, name and password. */
export class PlainServer implements SaslServer {
  readonly #users: KafkaUsers
  isComplete = false

  constructor(users: KafkaUsers) {
    this.#users = users
  }

  async next(message: Buffer): Promise<Buffer> {
    const parts = message.toString('utf8').split('\0')
    const [authorizationId, name, password] = parts
    if (parts.length !== 3 || !name || !password) {
      throw new SaslFailure(
        'Authentication failed: Invalid SASL/PLAIN response: expected a user name and a password',
      )
    }
    if (!this.#users.hasPassword(name, password)) {
      throw new SaslFailure('Authentication failed: Invalid username or password')
    }
    if (authorizationId !== '' && authorizationId !== name) {
      throw new SaslFailure(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    }
    this.isComplete = true
    return Buffer.alloc(0)
  }
}
