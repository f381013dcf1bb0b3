/** A partition value as its key's type compares it: a number exactly, as an unscaled integer, or text. */
export type PartitionValue = string | { readonly unscaled: bigint; readonly scale: number }

const integerType = /^(tinyint|smallint|int|integer|bigint|long)$/
const decimalType = /^decimal\b/

/** The value of `text` under a Hive type; undefined when a numeric type cannot hold it. */
export function partitionValueOf(text: string, type: string): PartitionValue | undefined {
  if (integerType.test(type)) return numberOf(text, /^[+-]?\d+()$/)
  if (decimalType.test(type)) return numberOf(text, /^[+-]?\d+(?:\.(\d*))?$/)
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

function numberOf(text: string, shape: RegExp): PartitionValue | undefined {
  const match = shape.exec(text.trim())
  if (match === null) return undefined
  return { unscaled: BigInt(match[0].replace(/^\+/, '').replace('.', '')), scale: match[1]?.length ?? 0 }
}

const rescaled = (value: { unscaled: bigint; scale: number }, scale: number): bigint =>
  value.unscaled * 10n ** BigInt(scale - value.scale)
