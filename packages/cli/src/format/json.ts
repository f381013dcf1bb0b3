import type { TextPrinter } from './text-table.ts'

/**
 * A value as JSON holds it without loss: whole numbers to 2^53 and finite doubles are numbers, larger ones, decimals,
 * NaN and all else are text, as Athena renders them.
 */
const jsonValue = (type: string, text: string | null): unknown => {
  if (text === null) return null
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'int':
    case 'bigint':
    case 'float':
    case 'real':
    case 'double': {
      const value = Number(text)
      if (text === '' || !Number.isFinite(value)) return text
      return Number.isInteger(value) && !Number.isSafeInteger(value) && !/[.eE]/.test(text) ? text : value
    }
    default:
      return text
  }
}

/** Names that occur again get `_2`, `_3`, so that no value is lost. */
const distinctNames = (names: readonly string[]): readonly string[] => {
  const taken = new Set<string>()
  return names.map((name) => {
    let distinct = name
    for (let count = 2; taken.has(distinct); count++) distinct = `${name}_${count}`
    taken.add(distinct)
    return distinct
  })
}

/** Rows as a JSON array of objects, one object a line. */
export const jsonPrinter = (): TextPrinter => {
  let isFirst = true
  return {
    page({ columns, rows }) {
      const names = distinctNames(columns.map(({ name }) => name)).map((name) => JSON.stringify(name))
      return rows
        .map((row) => {
          const before = isFirst ? '[\n' : ',\n'
          isFirst = false
          return `${before}{${columns.map(({ type }, index) => `${names[index]}:${JSON.stringify(jsonValue(type, row[index] ?? null))}`).join(',')}}`
        })
        .join('')
    },
    end: () => (isFirst ? '[]\n' : '\n]\n'),
  }
}
