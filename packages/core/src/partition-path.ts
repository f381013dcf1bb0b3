/** The partition value Hive writes for a null or empty one. */
export const defaultPartitionName = '__HIVE_DEFAULT_PARTITION__'

/** Characters Hive escapes in the value of a `name=value` key: control characters and `"#%'*\/:=?\\DEL{[]^`. */
const escaped = /[\u0000-\u001f"#%'*/:=?\\\u007f{[\]^]/g

/** A partition value as it stands in a key, escaped as Hive does with upper-case hex. */
export const escapePartitionValue = (value: string | null): string =>
  value === null || value === ''
    ? defaultPartitionName
    : value.replace(
        escaped,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
      )

/** Reads a value back from a key; null for the default partition. */
export const unescapePartitionValue = (text: string): string | null =>
  text === defaultPartitionName
    ? null
    : text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** `k1=v1/k2=v2/` for the partitions of a table; the empty string for a table without any. */
export const partitionPath = (
  partitions: readonly { readonly name: string }[],
  values: readonly (string | null)[],
): string =>
  partitions.map(({ name }, index) => `${name}=${escapePartitionValue(values[index] ?? null)}/`).join('')
