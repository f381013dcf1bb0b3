import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { ConfigurationError } from '@stockpipe/core'
import type { ScramMechanism } from './sasl-mechanism.ts'
import { scramHash } from './sasl-mechanism.ts'

const deriveKey = promisify(pbkdf2)

/** Who may use the broker, by any of its mechanisms. */
export interface KafkaUser {
  readonly name: string
  /** Never printed. */
  readonly password: string
}

/** What a server keeps of a password for one SCRAM mechanism (RFC 5802). */
export interface ScramCredential {
  readonly salt: Buffer
  readonly iterations: number
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** `iterations` that Apache Kafka makes SCRAM credentials with unless told. */
const scramIterations = 4096

/** The users of one broker. */
export class KafkaUsers {
  readonly #passwords: ReadonlyMap<string, string>
  readonly #credentials = new Map<string, Promise<ScramCredential>>()

  /** Throws a ConfigurationError, `KAFKA_USERS_INVALID`, for no user, an empty name or password, and a name given twice. */
  constructor(users: readonly KafkaUser[]) {
    this.#passwords = new Map(users.map(({ name, password }) => [name, password]))
    if (users.length === 0) throw invalid('the list is empty, so nobody could use the broker')
    if (this.#passwords.size < users.length) throw invalid('two users have the same name')
    for (const { name, password } of users) {
      if (!isText(name)) throw invalid('a user has no name')
      if (!isText(password)) throw invalid(`user ${JSON.stringify(name)} has no password`)
    }
  }

  hasPassword(name: string, password: string): boolean {
    const known = this.#passwords.get(name)
    // Hashed, so that neither time nor an exception tells how long the password is.
    return known !== undefined && timingSafeEqual(sha256(known), sha256(password))
  }

  /** Made when it is first asked for, because the derivation takes a few milliseconds. */
  async scramCredential(mechanism: ScramMechanism, name: string): Promise<ScramCredential | undefined> {
    const password = this.#passwords.get(name)
    if (password === undefined) return undefined
    const key = `${mechanism} ${name}`
    const credential = this.#credentials.get(key) ?? makeCredential(mechanism, password)
    this.#credentials.set(key, credential)
    return credential
  }
}

const makeCredential = async (mechanism: ScramMechanism, password: string): Promise<ScramCredential> => {
  const hash = scramHash[mechanism]
  const salt = randomBytes(24)
  const saltedPassword = await deriveKey(password, salt, scramIterations, hash.bytes, hash.name)
  const keyOf = (label: string) => createHmac(hash.name, saltedPassword).update(label).digest()
  return {
    salt,
    iterations: scramIterations,
    storedKey: createHash(hash.name).update(keyOf('Client Key')).digest(),
    serverKey: keyOf('Server Key'),
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

const invalid = (problem: string): ConfigurationError =>
  new ConfigurationError({
    code: 'KAFKA_USERS_INVALID',
    message: `The users of the embedded Kafka broker cannot be taken: ${problem}. Pass [{ name, password }, …].`,
  })
