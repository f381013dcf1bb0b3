import { JournalFormatError } from './errors.ts'

/** Reads the members of a JSON object of the journal, each checked; a wrong one is named with its path. */
export class JsonFields {
  readonly #members: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #key: string

  constructor(value: unknown, key: string, path = '') {
    this.#key = key
    this.#path = path
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.#wrong(path, 'an object', value)
    }
    this.#members = value as Record<string, unknown>
  }

  /** Reads an object of the journal from its bytes; refuses other formats and newer versions. */
  static read(bytes: Uint8Array, key: string, format: string, formatVersion: number): JsonFields {
    let value: unknown
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch (cause) {
      throw new JournalFormatError({
        code: 'JOURNAL_OBJECT_DAMAGED',
        message: `${key} is not JSON. Somebody else wrote or cut it; nothing of this partition log goes on until it is restored.`,
        cause,
        facts: { key },
      })
    }
    const fields = new JsonFields(value, key)
    if (fields.text('format') !== format) throw fields.#wrong('format', `"${format}"`, fields.text('format'))
    const version = fields.count('formatVersion')
    if (version > formatVersion) {
      throw new JournalFormatError({
        code: 'JOURNAL_FORMAT_NEWER',
        message: `${key} has format version ${version}; this package reads up to ${formatVersion}. Run the newer version of @stockpipe/s3-sink that wrote it.`,
        facts: { key, version },
      })
    }
    return fields
  }

  text(name: string): string {
    const value = this.#members[name]
    if (typeof value !== 'string') throw this.#wrong(name, 'a text', value)
    return value
  }

  textOrNull(name: string): string | null {
    return this.#members[name] === null ? null : this.text(name)
  }

  /** A whole number from 0 on. */
  count(name: string): number {
    const value = this.#members[name]
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw this.#wrong(name, 'a whole number', value)
    return value as number
  }

  numberOrNull(name: string): number | null {
    const value = this.#members[name]
    if (value === null) return null
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw this.#wrong(name, 'a number or null', value)
    return value
  }

  countOrNull(name: string): number | null {
    return this.#members[name] === null ? null : this.count(name)
  }

  /** An offset or another 64-bit count, as decimal text. */
  offset(name: string): bigint {
    const value = this.#members[name]
    if (typeof value !== 'string' || !/^\d{1,19}$/.test(value))
      throw this.#wrong(name, 'an offset as text', value)
    return BigInt(value)
  }

  offsetOrNull(name: string): bigint | null {
    return this.#members[name] === null ? null : this.offset(name)
  }

  object(name: string): JsonFields {
    return new JsonFields(this.#members[name], this.#key, this.#at(name))
  }

  objectOrNull(name: string): JsonFields | null {
    return this.#members[name] === null ? null : this.object(name)
  }

  objects(name: string): JsonFields[] {
    return this.list(name).map(
      (value, index) => new JsonFields(value, this.#key, `${this.#at(name)}[${index}]`),
    )
  }

  list(name: string): readonly unknown[] {
    const value = this.#members[name]
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list', value)
    return value
  }

  raw(name: string): unknown {
    return this.#members[name]
  }

  /** Throws unless the fields hold together. */
  demand(holds: boolean, sentence: string): void {
    if (holds) return
    throw new JournalFormatError({
      code: 'JOURNAL_OBJECT_INVALID',
      message: `${this.#key}: ${sentence}.`,
      facts: { key: this.#key },
    })
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #wrong(name: string, wanted: string, value: unknown): JournalFormatError {
    const shown = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 60)
    return new JournalFormatError({
      code: 'JOURNAL_OBJECT_INVALID',
      message: `${this.#key}: ${this.#at(name)} is ${wanted}, not ${shown}.`,
      facts: { key: this.#key, field: this.#at(name) },
    })
  }
}

/** JSON a person can read; offsets as text. Made once and sent unchanged. */
export const journalBytes = (value: object): Uint8Array =>
  new TextEncoder().encode(
    `${JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member), 2)}\n`,
  )
