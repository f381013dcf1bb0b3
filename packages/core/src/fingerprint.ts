import type { TableJSON } from './table.ts'

/** FNV-1a over 64 bits: no secrets are at stake, and it needs no I/O and no await. */
const fnv1a64 = (text: string): bigint => {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  }
  return hash
}

/** JSON with the keys of every object in order, so that equal values have equal text. */
export const canonicalJSON = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJSON).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJSON(member)}`)
    return `{${members.join(',')}}`
  }
  return JSON.stringify(value)
}

/** 16 hex digits that change when columns, partitions or file format do. */
export const fingerprintOf = (table: Pick<TableJSON, 'columns' | 'partitions' | 'fileFormat'>): string =>
  fnv1a64(
    canonicalJSON({ columns: table.columns, partitions: table.partitions, fileFormat: table.fileFormat }),
  )
    .toString(16)
    .padStart(16, '0')
