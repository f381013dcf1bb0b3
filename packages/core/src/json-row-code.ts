import type { CellScanner } from './cell-scanner.ts'
import { createRowScanner, type DocumentShape, isPlainName, type ScannedMember } from './json-row-scanner.ts'
import { skipValue } from './json-skip.ts'
import type { RowScanner } from './row-decoder.ts'

/** Scanners generated for one decoder, at most: shapes that alternate are not chased for ever. */
const mostGenerations = 8
/** Members beyond which the code would be too large for the optimizing compiler. */
const mostMembers = 250

const utf8 = new TextEncoder()

/** False where a content security policy or a flag of Node forbids code made from text. */
export const canGenerateCode = (): boolean => {
  try {
    return new Function('return true')() as boolean
  } catch {
    return false
  }
}

/** The tests, as code, that these bytes stand at `at`. */
const differs = (text: Uint8Array): string => {
  const view = new DataView(text.buffer)
  const words = Math.ceil(text.length / 4)
  return Array.from({ length: words }, (_, index) => Math.min(index * 4, text.length - 4))
    .map((from) => `view.getInt32(at + ${from}, true) !== ${view.getInt32(from, true)}`)
    .join(' || ')
}

/**
 * A scanner for documents of exactly one shape, as code of its own: names are constants, and the compiler sees which
 * scanner each value has. Only numbers get into the code, no name. All other documents go to `otherwise`.
 *
 * Measured with trades of 95 bytes, CPU s a million: closures 0.34, a switch on the kind 0.30, this 0.23; JSON.parse 0.71.
 */
const generateScanner = (
  members: readonly ScannedMember[],
  shape: DocumentShape,
  otherwise: RowScanner,
): RowScanner | undefined => {
  const names = shape.members.map(({ name }) => name)
  if (names.length === 0 || names.length > mostMembers || !names.every(isPlainName)) return undefined
  const absent = members.filter((member) => !shape.members.includes(member))
  if (absent.some(({ setNull }) => setNull === undefined)) return undefined
  const lines = names.flatMap((name, index) => {
    const lead = index === 0 ? '{' : shape.spaceAfterComma ? ', ' : ','
    const text = utf8.encode(`${lead}"${name}":${shape.spaceAfterColon ? ' ' : ''}`)
    return [
      `if (at + ${text.length} > limit || ${differs(text)}) return otherwise(bytes, view, start, end, row)`,
      `at = scan${index}(bytes, view, at + ${text.length}, row)`,
      'if (at < 0) return otherwise(bytes, view, start, end, row)',
    ]
  })
  const source = `return (bytes, view, start, end, row) => {
    const limit = view.byteLength
    let at = start
    ${lines.join('\n')}
    if (bytes[at] !== 125 || at + 1 !== end) return otherwise(bytes, view, start, end, row)
    ${absent.map((_, index) => `setNull${index}(row)`).join('\n')}
    return true
  }`
  const scanNames = names.map((_, index) => `scan${index}`)
  const nullNames = absent.map((_, index) => `setNull${index}`)
  const make = new Function('otherwise', ...scanNames, ...nullNames, source) as (
    otherwise: RowScanner,
    ...functions: unknown[]
  ) => RowScanner
  const skip: CellScanner = (bytes, view, start) => skipValue(bytes, view, start, 1)
  return make(
    otherwise,
    ...shape.members.map((member) => ('scan' in member ? member.scan : skip)),
    ...absent.map(({ setNull }) => setNull),
  )
}

/**
 * A row scanner as code made for the documents at hand: in the order of the table at first, then, when many documents
 * differ, for the shape they have.
 *
 * @param learnAfter documents of another shape before a scanner is generated for theirs
 */
export const createGeneratedRowScanner = (
  members: readonly ScannedMember[],
  learnAfter: number,
): RowScanner => {
  const general = createRowScanner(members)
  let misses = 0
  let generations = 0
  const generate = (shape: DocumentShape): RowScanner => {
    generations += 1
    return generateScanner(members, shape, otherwise) ?? general.scan
  }
  const otherwise: RowScanner = (bytes, view, start, end, row) => {
    const fits = general.scan(bytes, view, start, end, row)
    misses += 1
    if (fits && misses >= learnAfter && generations < mostGenerations) {
      misses = 0
      const shape = general.shape(bytes.subarray(start, end))
      if (shape) generated = generate(shape)
    }
    return fits
  }
  let generated = generate({ members, spaceAfterComma: false, spaceAfterColon: false })
  return (bytes, view, start, end, row) => generated(bytes, view, start, end, row)
}
