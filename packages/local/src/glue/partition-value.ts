/** A partition value as its key's type compares it: a number exactly, as an unscaled integer, or text. */
export type PartitionValue = string | { readonly unscaled: bigint; readonly scale: number }

const integerType = /^(tinyint|smallint|int|integer|bigint|long)$/
const decimalType = /^decimal\b/

/** The types of partition keys that an expression can compare. */
export const isComparable = (type: string): boolean =>
  integerType.test(type) || decimalType.test(type) || /^(string|char|varchar|date|timestamp)\b/.test(type)

/** The value of `text` under a Hive type, an exact number or text that sorts as it; undefined when the type cannot hold it. */
export function partitionValueOf(text: string, type: string): PartitionValue | undefined {
  if (integerType.test(type)) return numberOf(text, /^[+-]?\d+()$/)
  if (decimalType.test(type)) return numberOf(text, /^[+-]?\d+(?:\.(\d*))?$/)
  if (type === 'date') return isDay(text) ? text : undefined
  if (type === 'timestamp') return timestampOf(text)
  return text
}

/** Negative, zero or positive as `left` sorts before, with or after `right`; text by code point. */
export function comparePartitionValues(left: PartitionValue, right: PartitionValue): number {
  if (typeof left === 'string' || typeof right === 'string') {
    return Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right)))
  }
  const scale = Math.max(left.scale, right.scale)
  const difference = rescaled(left, scale) - rescaled(right, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const millis = Date.parse(`${text}T00:00:00Z`)
  // 2024-02-30 would be March.
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(text)
}

function timestampOf(text: string): string | undefined {
  const [, day, time, fraction = ''] = /^(\S{10}) (\d\d:[0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?$/.exec(text) ?? []
  if (day === undefined || time === undefined || time > '23:59:59' || !isDay(day)) return undefined
  return `${day} ${time}.${fraction.padEnd(9, '0')}`
}

function numberOf(text: string, shape: RegExp): PartitionValue | undefined {
  const match = shape.exec(text.trim())
  if (match === null) return undefined
  return { unscaled: BigInt(match[0].replace(/^\+/, '').replace('.', '')), scale: match[1]?.length ?? 0 }
}

const rescaled = (value: { unscaled: bigint; scale: number }, scale: number): bigint =>
  value.unscaled * 10n ** BigInt(scale - value.scale)
