/** Longer conditions are not repeated in SQL. */
const repeatableLength = 2_000

/** Calls of our functions, arithmetic but that of intervals, and casts of what is no literal. */
const mayFail = /"sp_| (?:[-+] (?!to_)|(?:[*/%]|\/\/) )|\(-|CAST\((?!'|NULL)/

/**
 * AND or OR, of which an operand that may fail is evaluated only where those before it leave the outcome open: DuckDB
 * evaluates all of them.
 */
export function logical(operator: 'AND' | 'OR', operands: readonly string[]): string {
  const [not, outcome] = operator === 'AND' ? ['NOT ', 'FALSE'] : ['', 'TRUE']
  let before = ''
  const guarded = operands.map((operand) => {
    const decided = before
    if (before.length <= repeatableLength) before += `${before === '' ? '' : ` ${operator} `}${operand}`
    const isRepeatable = decided !== '' && decided.length <= repeatableLength && !/\bSELECT\b/.test(decided)
    if (!isRepeatable || !mayFail.test(operand)) return operand
    return `CASE WHEN ${not}(${decided}) THEN ${outcome} ELSE ${operand} END`
  })
  return `(${guarded.join(` ${operator} `)})`
}
