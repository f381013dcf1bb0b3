import { athenaText, athenaType } from './athena-text.js'

/**
 * Functions whose doubles Trino itself does not determine to the last digit: it adds partial results in any order, and
 * takes powers and logarithms from the processor's library.
 */
export const lastDigits =
  /\b(sum|avg|stddev\w*|variance|var_\w+|covar_\w+|corr|regr_\w+|geometric_mean|kurtosis|skewness|approx_\w+|exp|ln|log\w*|pow|power|cbrt|sin|cos|tan\w*)\s*\(/i
const approximate = /\bapprox_\w+\s*\(/i

/** Trino's own trouble, which says nothing about the statement. */
const troubles = /^(EXCEEDED_|GENERIC_|COMPILER_|NO_NODES|CLUSTER_|TOO_MANY|OPTIMIZER_TIMEOUT|HIVE_)/

const ownWords =
  /^NOT_SUPPORTED: (?:line \d+:\d+: )?The embedded Athena (?:does not support |does not |cannot )/

/** The statement without texts, comments and what stands in parentheses. */
const outermost = (sql) => {
  let depth = 0
  let text = ''
  for (const [token] of sql.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|[\s\S]/g)) {
    if (token === '(') depth++
    else if (token === ')') depth--
    else if (depth === 0 && token.length === 1) text += token
  }
  return text
}

/** Whether the statement's answer has an order. */
export const isOrdered = (sql) => /\border\s+by\b/i.test(outermost(sql))

const isDouble = (text) => text !== null && /^-?\d+\.\d+(E-?\d+)?$/.test(text)

const isNear = (ours, theirs, share, difference) => {
  if (ours === theirs) return true
  if (!isDouble(ours) || !isDouble(theirs)) return false
  const [a, b] = [Number(ours), Number(theirs)]
  return Math.abs(a - b) <= Math.max(difference, share * Math.max(Math.abs(a), Math.abs(b)))
}

/** The entries of a map have no order. */
const comparable = (text, type) => {
  if (text === null || type !== 'map') return text
  return `{${text.slice(1, -1).split(', ').sort().join(', ')}}`
}

/** The rows of `ours` and of `theirs` without those that are in both, character for character. */
const withoutEqual = (ours, theirs) => {
  const counts = new Map()
  const keyed = theirs.map((row) => [JSON.stringify(row), row])
  for (const [key] of keyed) counts.set(key, (counts.get(key) ?? 0) + 1)
  const oursLeft = ours.filter((row) => {
    const key = JSON.stringify(row)
    const count = counts.get(key) ?? 0
    counts.set(key, count - 1)
    return count <= 0
  })
  const theirsLeft = keyed.filter(([key]) => {
    const count = counts.get(key)
    if (count > 0) counts.set(key, count - 1)
    return count > 0
  })
  return [oursLeft, theirsLeft.map(([, row]) => row)]
}

/** `equal`, `near` (doubles whose last digits are free), or what differs. */
const compareRows = (sql, ours, theirs) => {
  if (ours.length !== theirs.length) return `${ours.length} rows, Trino has ${theirs.length}`
  const near = (a, b) => {
    if (a === b) return true
    if (approximate.test(sql))
      return isNear(a, b, 0.05, 0) || (Number(a) && Math.abs(a - b) <= 0.05 * Math.abs(b))
    if (lastDigits.test(sql)) return isNear(a, b, 1e-11, 1e-12)
    return false
  }
  const nearRow = (a, b) => a.every((text, index) => near(text, b[index]))
  if (isOrdered(sql)) {
    const index = theirs.findIndex((row, position) => !nearRow(ours[position], row))
    if (index >= 0)
      return `row ${index}: ${JSON.stringify(ours[index])}, Trino has ${JSON.stringify(theirs[index])}`
    const isEqual = theirs.every((row, position) => JSON.stringify(row) === JSON.stringify(ours[position]))
    return isEqual ? 'equal' : 'near'
  }
  const [oursLeft, theirsLeft] = withoutEqual(ours, theirs)
  if (theirsLeft.length === 0) return 'equal'
  for (const row of theirsLeft) {
    const index = oursLeft.findIndex((other) => nearRow(other, row))
    if (index < 0)
      return `Trino has a row ${JSON.stringify(row)}, not in ${JSON.stringify(oursLeft.slice(0, 3))}`
    oursLeft.splice(index, 1)
  }
  return 'near'
}

/**
 * What two answers to a statement say about ours: `equal`; `near` (to 11 digits, or within a sketch's error); `both err`;
 * `refused` by name; `ours errs` where Trino answers; `undecided` where Trino failed by itself; `wrong`. `detail` says more.
 */
export const verdictOf = (sql, ours, theirs) => {
  if (theirs.error !== undefined && troubles.test(theirs.error.name)) {
    return { verdict: 'undecided', detail: `${theirs.error.name}: ${theirs.error.message}` }
  }
  if (ours.error !== undefined) {
    const { name, message } = ours.error
    if (ownWords.test(message)) return { verdict: 'refused', detail: message.replace(ownWords, '') }
    if (theirs.error === undefined) return { verdict: 'ours errs', detail: message }
    const detail = name === theirs.error.name ? '' : `${name}, Trino says ${theirs.error.name}`
    return { verdict: 'both err', detail }
  }
  if (theirs.error !== undefined) {
    return { verdict: 'wrong', detail: `an answer, Trino says ${theirs.error.name}: ${theirs.error.message}` }
  }
  const types = theirs.columns.map(({ typeSignature }) => athenaType(typeSignature))
  const names = theirs.columns.map(({ name }) => name)
  for (const [what, a, b] of [
    ['types', ours.types, types],
    ['names', ours.names, names],
  ]) {
    if (a.join() !== b.join())
      return { verdict: 'wrong', detail: `${what} ${a.join()}, Trino has ${b.join()}` }
  }
  const texts = theirs.rows.map((row) =>
    row.map((value, index) =>
      comparable(athenaText(value, theirs.columns[index].typeSignature), types[index]),
    ),
  )
  const oursTexts = ours.rows.map((row) => row.map((text, index) => comparable(text, types[index])))
  const compared = compareRows(sql, oursTexts, texts)
  return compared === 'equal' || compared === 'near'
    ? { verdict: compared, detail: '' }
    : { verdict: 'wrong', detail: compared }
}
