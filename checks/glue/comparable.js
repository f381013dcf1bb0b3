/** A number as a text that both sides write alike. */
const number = (value, kind) => {
  const exact = typeof value === 'number' ? value : Number(value)
  return String(kind === 'float' ? Math.fround(exact) : exact)
}

const instant = (value) => value.toISOString().replace('T', ' ').replace('Z', '')

/** A value as it was written, by its column type, in the form that `fromTrino` gives it too. */
export const fromRow = (type, value) => {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'float':
    case 'double':
      return number(value, type.kind)
    case 'binary':
      return Buffer.from(value).toString('base64')
    case 'timestamp':
      return instant(value)
    case 'list':
      return value.map((one) => fromRow(type.element.type, one))
    case 'map':
      return [...value].map(([key, one]) => [String(key), fromRow(type.value.type, one)]).sort()
    case 'struct':
      return type.fields.map((field) => fromRow(field.type, value[field.name]))
    default:
      return String(value)
  }
}

/** A value as Trino's protocol gives it. */
export const fromTrino = (type, value) => {
  if (value === null) return null
  switch (type.kind) {
    case 'float':
    case 'double':
      return number(value, type.kind)
    case 'list':
      return value.map((one) => fromTrino(type.element.type, one))
    case 'map':
      return Object.entries(value)
        .map(([key, one]) => [key, fromTrino(type.value.type, one)])
        .sort()
    case 'struct':
      return type.fields.map((field, index) => fromTrino(field.type, value[index]))
    default:
      return String(value)
  }
}

/** The rows that are in one list and not in the other, each as often as it is there too often. */
export const differences = (written, found) => {
  const counts = new Map()
  for (const row of written) {
    const key = JSON.stringify(row)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  const unexpected = []
  for (const row of found) {
    const key = JSON.stringify(row)
    const left = counts.get(key) ?? 0
    if (left > 0) counts.set(key, left - 1)
    else unexpected.push(key)
  }
  const missing = [...counts].flatMap(([key, left]) => Array.from({ length: left }, () => key))
  return { missing, unexpected }
}
