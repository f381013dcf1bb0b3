/** Where a table's or partition's files are, from `s3://bucket/prefix`. */
export interface StorageLocation {
  readonly bucket: string
  /** Ends with `/` unless it is the whole bucket (empty). */
  readonly prefix: string
}

/** Splits an `s3://bucket/key` location; `s3a` and `s3n` are taken as well. Undefined for anything else. */
export function parseLocation(location: string): StorageLocation | undefined {
  const match = /^s3[an]?:\/\/([^/]+)\/?(.*)$/s.exec(location)
  if (match === null) return undefined
  const prefix = withoutSlashes(match[2] ?? '')
  return { bucket: match[1] ?? '', prefix: prefix === '' ? '' : `${prefix}/` }
}

/** A location without the slashes at its end. By hand: a pattern tries each run of slashes over and over. */
export function withoutSlashes(location: string): string {
  let end = location.length
  while (end > 0 && location.charAt(end - 1) === '/') end -= 1
  return location.slice(0, end)
}

/** The location in one spelling, so that two can be compared. */
export function normalizedLocation(location: string): string {
  const parsed = parseLocation(location)
  return parsed === undefined ? location : `s3://${parsed.bucket}/${parsed.prefix}`
}

/** What Hive writes for a null partition value. */
export const defaultPartition = '__HIVE_DEFAULT_PARTITION__'

/** Decodes a folder's name: `%3A` is `:`. Text that is no escape stays as it is. */
export function unescapePathName(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

const escaped = /[\u0001-\u001f"#%'*/:=?\\\u007f{[\]^]/g

/** Encodes a partition name or value as Hive does for a folder's name. */
export function escapePathName(text: string): string {
  if (text === '') return defaultPartition
  return text.replace(
    escaped,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** `year=2024/ticker=BRK.B/` for partition keys and their raw values. */
export function partitionPath(keys: readonly string[], values: readonly (string | null)[]): string {
  return keys
    .map((key, at) => `${escapePathName(key)}=${escapePathName(values[at] ?? defaultPartition)}/`)
    .join('')
}

/** True when any part of a path relative to a table is hidden from readers: `_SUCCESS`, `.part`, `_temporary/`. */
export function isHiddenPath(relativePath: string): boolean {
  return relativePath.split('/').some((part) => part.startsWith('_') || part.startsWith('.'))
}

/** True for the objects consoles and Hadoop write to mark a folder; they hold no data. */
export function isFolderMarker(key: string, size: number): boolean {
  return key.endsWith('/') || (size === 0 && key.endsWith('_$folder$'))
}
