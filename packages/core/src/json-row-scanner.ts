import type { CellScanner } from './cell-scanner.ts'
import { hasBackslash, skipSpace, skipString, skipValue } from './json-skip.ts'
import type { RowScanner } from './row-decoder.ts'
import { StringDictionary } from './string-dictionary.ts'

/** A column as a row scanner sees it. */
export interface ScannedMember {
  /** Its name in the document. */
  readonly name: string
  readonly scan: CellScanner
  /** Makes it null for a row that lacks it; undefined: such a row is rejected. */
  readonly setNull: ((row: number) => void) | undefined
}

/** How a document is written: its members in order, those that are no column by name alone. */
export interface DocumentShape {
  readonly members: readonly (ScannedMember | { readonly name: string })[]
  readonly spaceAfterComma: boolean
  readonly spaceAfterColon: boolean
}

const utf8 = new TextEncoder()
/** Names the table does not know that are remembered; those beyond are looked up again each time. */
const mostUnknown = 64

/** True for a name that stands in documents as it is, unless they escape what they need not. */
export const isPlainName = (name: string): boolean => !/["\\\u0000-\u001f]/.test(name) && name.isWellFormed()

/** Member names, in quotes and with their colon, as 32-bit words, so that a document's are compared four bytes at a time. */
class MemberNames {
  /** Names without quotes. */
  readonly #names = new StringDictionary()
  readonly #words: Int32Array[] = []
  /** Names in the order of their numbers. */
  readonly texts: string[] = []

  get count(): number {
    return this.texts.length
  }

  /** The member of that name, or -1. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.#names.find(bytes, start, end)
  }

  add(name: string): number {
    const bytes = utf8.encode(name)
    const plain = isPlainName(name)
    // What is no UTF-8 is never found.
    const key = name.isWellFormed() ? bytes : Uint8Array.of(255, this.count)
    const member = this.#names.intern(key, 0, key.length, 0)
    const text = Uint8Array.of(34, ...bytes, 34, 58)
    const view = new DataView(text.buffer)
    // The last word lies over the one before it. A name too short for one is never guessed.
    const words = text.length < 4 || !plain ? 0 : (text.length + 3) >> 2
    this.#words[member] = Int32Array.from({ length: words }, (_, index) =>
      view.getInt32(Math.min(index * 4, text.length - 4), true),
    )
    this.texts.push(name)
    return member
  }

  /** Where the value after `"name":`, of `length` bytes, begins when that is what stands at `start`; -1 otherwise. */
  match(member: number, length: number, view: DataView, start: number): number {
    const words = this.#words[member]!
    const last = words.length - 1
    if (last < 0 || start + length > view.byteLength) return -1
    for (let index = 0; index < last; index++) {
      if (view.getInt32(start + index * 4, true) !== words[index]) return -1
    }
    return view.getInt32(start + length - 4, true) === words[last] ? start + length : -1
  }
}

/**
 * A row scanner made of closures. It expects the members that followed each other in the documents before: in the
 * order of the table at first, then in that of the producer, with the members the table does not know.
 */
export const createRowScanner = (
  members: readonly ScannedMember[],
): {
  readonly scan: RowScanner
  /** The shape of the document scanned last, which is that text; undefined when it is out of the ordinary. */
  shape(document: Uint8Array): DocumentShape | undefined
} => {
  const columns = members.length
  const most = columns + mostUnknown
  const names = new MemberNames()
  const lengths = new Int32Array(most)
  for (const { name } of members) lengths[names.add(name)] = utf8.encode(name).length + 3
  /** The member expected after member `i - 1`; `next[0]` is the first. */
  const next = Int32Array.from({ length: most + 2 }, (_, index) => Math.min(index, columns))
  const scans = members.map(({ scan }) => scan)
  const setNulls = members.map(({ setNull }) => setNull)
  /** The last document, by a number of its own, that has the column. */
  const seen = new Int32Array(columns)
  let current = 0
  /** The member whose name was read last; `most` when it is not remembered. */
  let member = 0
  /** The members of the last document, in its order, as far as there is room. */
  const order = new Int32Array(most)
  let ordered = 0

  /** Reads the name at `start` when it is not the one expected; answers where its value begins, or -1. */
  const readName = (bytes: Uint8Array, view: DataView, start: number, previous: number): number => {
    if (bytes[start] !== 34) return -1
    const end = skipString(bytes, view, start)
    if (end < 0) return -1
    const colon = skipSpace(bytes, end)
    if (bytes[colon] !== 58) return -1
    const escaped = hasBackslash(bytes, start, end)
    member = escaped ? -1 : names.find(bytes, start + 1, end - 1)
    if (member < 0) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString()
      const name = JSON.parse(text) as string
      if (!name.isWellFormed()) return -1
      const key = utf8.encode(name)
      member = names.find(key, 0, key.length)
      if (member < 0 && names.count < most) {
        member = names.add(name)
        lengths[member] = key.length + 3
      }
      if (member < 0) member = most
    }
    next[previous + 1] = member
    return colon + 1
  }

  const scan: RowScanner = (bytes, view, start, end, row) => {
    current = (current + 1) & 0x3fff_ffff
    ordered = 0
    let at = bytes[start] === 123 ? start + 1 : skipSpace(bytes, start) + 1
    if (bytes[at - 1] !== 123) return false
    let found = 0
    let previous = -1
    if (bytes[at]! <= 32) at = skipSpace(bytes, at)
    if (bytes[at] === 125) at += 1
    else {
      for (;;) {
        let expected = next[previous + 1]!
        let value = expected < names.count ? names.match(expected, lengths[expected]!, view, at) : -1
        if (value < 0) {
          // A column that was left out, perhaps.
          expected = next[expected + 1]!
          if (expected < names.count) value = names.match(expected, lengths[expected]!, view, at)
        }
        if (value >= 0) member = expected
        else {
          value = readName(bytes, view, at, previous)
          if (value < 0) return false
        }
        if (ordered < most) order[ordered] = member
        ordered += 1
        previous = member
        if (bytes[value]! <= 32) value = skipSpace(bytes, value)
        if (member < columns) {
          // The last of two members of one name counts: the exact reader's case.
          if (seen[member] === current) return false
          seen[member] = current
          found += 1
          at = scans[member]!(bytes, view, value, row)
        } else at = skipValue(bytes, view, value, 1)
        if (at < 0) return false
        let byte = bytes[at++]!
        if (byte <= 32) {
          at = skipSpace(bytes, at - 1) + 1
          byte = bytes[at - 1]!
        }
        if (byte === 125) break
        if (byte !== 44) return false
        if (bytes[at]! <= 32) at = skipSpace(bytes, at)
      }
    }
    if (at < end) at = Math.min(skipSpace(bytes, at), end)
    if (at !== end) return false
    if (found === columns) return true
    for (let column = 0; column < columns; column++) {
      if (seen[column] === current) continue
      const setNull = setNulls[column]
      if (setNull === undefined) return false
      setNull(row)
    }
    return true
  }

  return {
    scan,
    shape(document) {
      const numbers = order.subarray(0, ordered)
      const texts = Array.from(numbers, (number) => names.texts[number])
      if (ordered === 0 || ordered > most || !texts.every((text) => text !== undefined && isPlainName(text)))
        return undefined
      const colon = document.indexOf(58)
      return {
        members: texts.map((name, index) => members[numbers[index]!] ?? { name: name! }),
        // Guesses: a document that is written otherwise is not taken for one of this shape.
        spaceAfterComma: Buffer.from(document).includes(', "'),
        spaceAfterColon: document[colon + 1] === 32,
      }
    },
  }
}
