import { Random } from '../stack/random.js'

const tokenPattern =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|\s+|[<>!]=|<>|\|\||->|[\s\S]/g

const words = (text) => new Set(text.split(/\s+/))

/** Words that are no names of the statement's own. */
const known =
  words(`select from where group by order asc desc nulls first last limit offset with as and or not in is null
  between like escape case when then else end cast try_cast over partition rows range groups unbounded preceding following
  current row ignore respect join left right full inner outer cross on using union all except intersect distinct having
  values unnest ordinality grouping sets rollup cube filter within interval date time timestamp at zone double real decimal
  integer bigint tinyint smallint boolean varchar varbinary char json array map true false year month day hour minute second
  exists extract for position infinity
  id ts symbol price px size side meta tags attrs dt bid ask trades quotes _col0`)

/** Columns that another of the same type stands in for; quotes has no `side`, so that only queries of trades get these. */
const others = { size: 'id', symbol: 'side', side: 'dt', price: '(price * 2)', px: '(px + 1.25)' }

const isWord = (token) => /^[A-Za-z_]\w*$/.test(token)
const isNumber = (token) => /^\d/.test(token)
const isSpace = (token) => /^\s+$/.test(token)

/** The tokens before and after one, without spaces, in lower case. */
const around = (tokens, index) => {
  const solid = (step) => {
    let at = index + step
    while (tokens[at] !== undefined && isSpace(tokens[at])) at += step
    return tokens[at]?.toLowerCase()
  }
  return { before: solid(-1), after: solid(1) }
}

/** For each token, the word before the innermost parenthesis it stands in: `decimal` for the 2 of `decimal(3,2)`. */
const enclosing = (tokens) => {
  const open = []
  return tokens.map((token, index) => {
    if (token === ')') open.pop()
    const name = open.at(-1)
    if (token === '(') open.push(around(tokens, index).before)
    return name
  })
}

const renameAliases = (tokens) =>
  tokens.map((token, index) => {
    if (!isWord(token) || known.has(token.toLowerCase())) return token
    const { before, after } = around(tokens, index)
    // What stands before a parenthesis is a function, but for an alias with its columns.
    const isAlias = before === 'as' || before === ')' || before === 'with'
    return after === '(' && !isAlias ? token : `${token}_m`
  })

const ordinalsAfter = new Set(['by', ','])

/** Whether a number is the place of a column in GROUP BY or ORDER BY: these must stay. */
const isOrdinal = (tokens, index) => {
  let at = index
  while (
    at >= 0 &&
    (isSpace(tokens[at]) || isNumber(tokens[at]) || ordinalsAfter.has(tokens[at].toLowerCase()))
  ) {
    if (tokens[at].toLowerCase() === 'by') return true
    at--
  }
  return isWord(tokens[at] ?? '') && /^(asc|desc)$/i.test(tokens[at])
}

const shiftNumber = (token, step) => {
  const [, whole, rest] = /^(\d+)(.*)$/.exec(token)
  return `${BigInt(whole) + BigInt(step)}${rest}`
}

/** Another day, minute or number within a text that is one; other texts stay. */
const shiftText = (token, step) => {
  if (/^'(\d{4}-\d\d-)(\d\d)/.test(token)) {
    return token.replace(
      /^'(\d{4}-\d\d-)(\d\d)/,
      (_, month, day) => `'${month}${String(((Number(day) + step - 1) % 28) + 1).padStart(2, '0')}`,
    )
  }
  if (/^'\d\d:\d\d/.test(token)) return token.replace(/:\d\d/, `:${10 + step}`)
  if (/^' ?\d+'$/.test(token)) return token.replace(/\d+/, (digits) => String(Number(digits) + step))
  const symbols = ["'AAPL'", "'MSFT'", "'BRK.B'"]
  return symbols.includes(token) ? symbols[(symbols.indexOf(token) + step) % symbols.length] : token
}

const typesWithNumbers = words('decimal varchar char timestamp time')

const shiftLiterals = (tokens, random) => {
  const inside = enclosing(tokens)
  // By one step in all of the statement: `SELECT 1 k ... WHERE k = 1` stays about the same rows.
  const step = 1 + random.below(2)
  return tokens.map((token, index) => {
    if (token.startsWith("'")) return shiftText(token, step)
    if (!isNumber(token) || isOrdinal(tokens, index)) return token
    return typesWithNumbers.has(inside[index]) ? token : shiftNumber(token, step)
  })
}

const takeOtherColumns = (tokens) => {
  const names = tokens.map((token) => token.toLowerCase())
  if (!names.includes('trades') || names.includes('quotes')) return tokens
  return tokens.map((token, index) => {
    const { before, after } = around(tokens, index)
    const other = others[token.toLowerCase()]
    return other === undefined || before === '.' || before === 'as' || after === '(' ? token : other
  })
}

/** What a `SELECT` without a FROM selects; undefined for other statements. */
const constantItem = (sql) => /^SELECT ((?!.*\bfrom\b)(?!.*\bunion\b).*)$/is.exec(sql)?.[1]

/** `WITH u AS (body) ... FROM u` with the body in the place of the name. */
const inlineTable = (sql) => {
  const [head, name] = /^WITH (\w+) AS \(/i.exec(sql) ?? []
  if (name === undefined) return sql
  let depth = 1
  let end = head.length
  while (depth > 0) {
    if (sql[end] === '(') depth++
    if (sql[end] === ')') depth--
    end++
  }
  const body = sql.slice(head.length, end - 1)
  return sql
    .slice(end)
    .trim()
    .replace(new RegExp(`\\b(FROM|JOIN) ${name}\\b`, 'gi'), `$1 (${body}) ${name}`)
}

/** Puts the statement into another: what it means stays, but for its order. */
const wraps = [
  (sql) => `SELECT * FROM (${sql}) AS w`,
  (sql) => `WITH w AS (${sql}) SELECT * FROM w`,
  (sql) => `SELECT count(*) AS n FROM (${sql}) AS w`,
  inlineTable,
]

const constantWraps = [
  (item) => `SELECT w.* FROM (VALUES 1, 2) AS v(k) CROSS JOIN (SELECT ${item}) AS w`,
  (item) => `SELECT if(k > 1, (${item})) AS r FROM (VALUES 1, 2) AS v(k)`,
  (item) => `SELECT typeof(${item}) AS r`,
  (item) => `SELECT array_agg(${item}) AS r FROM (VALUES 1, 2) AS v(k)`,
  (item) => `SELECT coalesce(try(${item}), ${item}) AS r, count(*) AS n FROM trades GROUP BY 1`,
  (item) => `SELECT max(${item}) AS r FROM trades`,
  (item) => `SELECT DISTINCT ${item} AS r FROM quotes`,
]

/** One golden statement rewritten: other literals, columns and names, within another statement. */
const mutate = ({ kind, sql }, random) => {
  let tokens = sql.match(tokenPattern)
  if (random.chance(0.7)) tokens = shiftLiterals(tokens, random)
  if (random.chance(0.5)) tokens = takeOtherColumns(tokens)
  if (random.chance(0.6)) tokens = renameAliases(tokens)
  const changed = tokens.join('')
  const item = kind === 'expression' ? constantItem(changed) : undefined
  if (item !== undefined && random.chance(0.7)) return random.pick(constantWraps)(item)
  return changed === sql || random.chance(0.5) ? random.pick(wraps)(changed) : changed
}

/** Each statement rewritten `count` times, as it follows from the seed. */
export const mutatedStatements = (statements, count, seed) => {
  const random = new Random(seed)
  return statements.flatMap((statement) =>
    Array.from({ length: count }, () => ({ name: `of ${statement.name}`, sql: mutate(statement, random) })),
  )
}
