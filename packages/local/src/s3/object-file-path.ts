/**
 * Object keys as file paths, reversibly, so that any key is one plain file beneath its bucket's directory.
 *
 * A key is cut at `/`; each segment is one file name. A usual name stands as it is. In all others
 * - `%`, control characters and `\ : * ? " < > | [ ]` are `%XX` (the last two so that no tool takes a path for a pattern),
 * - so are a trailing dot or space (hence `.` and `..`) and the first letter of a name Windows reserves (`con`, `nul.txt`),
 * - an empty segment (`a//b`, a trailing `/`) is `%_`,
 * - a segment over 200 bytes goes on in the next directory: `<first 200 bytes>%+/<rest>`,
 * - a name that is taken (a file where a directory must be; equal but for case) has `%~1`, `%~2`, ... behind it.
 *
 * Read back, a path gives its key without anything else being known; names this scheme would not write are not keys.
 */
const maxNameBytes = 200
const special = /[\u0000-\u001f\u007f%\\:*?"<>|[\]]/g
const reserved = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[. ]|$)/i

const escapeCharacter = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

const escapeReserved = (name: string): string =>
  reserved.test(name) ? escapeCharacter(name[0]!) + name.slice(1) : name

const encodeSegment = (segment: string): string[] => {
  if (segment === '') return ['%_']
  const name = segment.replace(special, escapeCharacter).replace(/[. ]$/, escapeCharacter)
  const names = ['']
  let bytes = 0
  // An escape or a character is never cut in two.
  for (const piece of name.match(/%[0-9A-F]{2}|[\s\S]/gu) ?? []) {
    bytes += Buffer.byteLength(piece)
    if (bytes > maxNameBytes) {
      names[names.length - 1] += '%+'
      names.push('')
      bytes = Buffer.byteLength(piece)
    }
    names[names.length - 1] += piece
  }
  return names.map(escapeReserved)
}

/** The names of the directories and, last, of the file that stand for a key, before any is found to be taken. */
export const fileNamesOfKey = (key: string): string[] => key.split('/').flatMap(encodeSegment)

/** The `attempt`-th name to try for a wanted name: the name itself, then `%~1`, `%~2`, ... */
export const alternativeName = (name: string, attempt: number): string =>
  attempt === 0 ? name : `${name}%~${attempt}`

/** What a case-insensitive, Unicode-normalising file system takes for the same name. */
export const foldName = (name: string): string => name.normalize('NFD').toUpperCase().toLowerCase()

const withoutAlternative = (name: string): string => name.replace(/%~[1-9]\d*$/, '')

/** The key whose file has these names, or undefined when no key is stored so. */
export const keyOfFileNames = (names: readonly string[]): string | undefined => {
  const plain = names.map(withoutAlternative)
  let key = ''
  plain.forEach((name, index) => {
    const continues = name.endsWith('%+')
    const body = continues ? name.slice(0, -2) : name === '%_' ? '' : name
    key += body.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (!continues && index < plain.length - 1) key += '/'
  })
  const expected = fileNamesOfKey(key)
  return expected.length === plain.length && expected.every((name, index) => name === plain[index])
    ? key
    : undefined
}
