/** Java's Double.toString and, for `real`, Float.toString, written apart from the local Athena's. */
const javaNumber = (value, type) => {
  const number = Number(value)
  if (!Number.isFinite(number)) return String(number)
  if (number === 0) return Object.is(number, -0) ? '-0.0' : '0.0'
  const magnitude = Math.abs(number)
  if (magnitude >= 1e-3 && magnitude < 1e7) {
    const plain = type === 'real' ? String(Number(value)) : String(number)
    return plain.includes('.') ? plain : `${plain}.0`
  }
  const [mantissa, exponent] = number.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

const hexPairs = (base64) =>
  Buffer.from(base64, 'base64')
    .toString('hex')
    .replace(/..(?=.)/g, '$& ')

/** A typed value of Trino's REST protocol as the text that Athena's GetQueryResults gives; null for NULL. */
export const athenaText = (value, { rawType, arguments: inner }) => {
  if (value === null) return null
  const innerText = (item, argument) =>
    athenaText(item, argument.value.typeSignature ?? argument.value) ?? 'null'
  switch (rawType) {
    case 'double':
    case 'real':
      return javaNumber(value, rawType)
    case 'varbinary':
      return hexPairs(value)
    case 'array':
      return `[${value.map((item) => innerText(item, inner[0])).join(', ')}]`
    case 'map':
      return `{${Object.entries(value)
        .map(([key, item]) => `${innerText(key, inner[0])}=${innerText(item, inner[1])}`)
        .join(', ')}}`
    case 'row':
      return `{${value
        .map((item, index) => {
          const name = inner[index].value.fieldName?.name ?? `field${index}`
          return `${name}=${innerText(item, inner[index])}`
        })
        .join(', ')}}`
    default:
      return String(value)
  }
}

/** A type of Trino's as far as Athena's ColumnInfo tells it: base, precision and scale, nothing of what is inside. */
export const athenaType = ({ rawType, arguments: inner }) => {
  const numbers = inner.filter(({ kind }) => kind === 'LONG').map(({ value }) => Number(value))
  switch (rawType) {
    case 'real':
      return 'float'
    case 'varchar':
      return numbers[0] === 2_147_483_647 ? 'varchar' : `varchar(${numbers[0]})`
    case 'char':
      return `char(${numbers[0]})`
    case 'decimal':
      return `decimal(${numbers.join(',')})`
    case 'timestamp':
    case 'time':
      return `${rawType}(${numbers[0]})`
    case 'timestamp with time zone':
    case 'time with time zone':
      return `${rawType.split(' ')[0]}(${numbers[0]}) with time zone`
    default:
      return rawType
  }
}
