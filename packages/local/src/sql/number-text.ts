interface Digits {
  readonly negative: boolean
  /** Significant decimal digits without trailing zeros, at least one. */
  readonly digits: string
  /** Exponent of the first digit. */
  readonly exponent: number
}

/** The fewest digits that read back as the same number, and two where Java prints two. */
function shortestDigits(value: number, kind: 'real' | 'double'): Digits {
  let text = value.toExponential()
  if (kind === 'real') {
    for (let precision = 0; precision < 9; precision++) {
      text = value.toExponential(precision)
      if (Math.fround(Number(text)) === value) break
    }
  } else if (/^-?\de/.test(text) && Number(value.toExponential(1)) === value) {
    // 4.9E-324, not 5.0E-324.
    text = value.toExponential(1)
  }
  const [mantissa, exponent] = text.split('e') as [string, string]
  const digits = mantissa.replace(/[-.]/g, '').replace(/0+$/, '')
  return { negative: value < 0 || Object.is(value, -0), digits: digits || '0', exponent: Number(exponent) }
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value > 0 ? 'Infinity' : '-Infinity'
}

function scientific({ negative, digits, exponent }: Digits): string {
  return `${negative ? '-' : ''}${digits[0]}.${digits.slice(1) || '0'}E${exponent}`
}

/** Java's Double.toString and Float.toString: `0.25`, `100.0`, `1.0E7`, `1.0E-5`; Athena's text of an answer. */
export function javaNumberText(value: number, kind: 'real' | 'double'): string {
  const name = special(value)
  if (name !== undefined) return name
  const shortest = shortestDigits(value, kind)
  const { negative, digits, exponent } = shortest
  if (value !== 0 && (exponent < -3 || exponent >= 7)) return scientific(shortest)
  const sign = negative ? '-' : ''
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** Trino's CAST of a double or real to varchar: always with an exponent, `4.093775E2`. */
export function trinoNumberText(value: number, kind: 'real' | 'double'): string {
  return (
    special(value) ??
    (value === 0 ? (Object.is(value, -0) ? '-0E0' : '0E0') : scientific(shortestDigits(value, kind)))
  )
}

/** A decimal's text with all digits of its scale, from its unscaled value. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
