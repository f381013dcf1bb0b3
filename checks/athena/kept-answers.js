import { writeFileSync } from 'node:fs'
import { athenaText } from './athena-text.js'
import { isOrdered, lastDigits } from './verdict.js'

/** Answers longer than this, as JSON, are not kept: a test's file is to be read by people too. */
const longestAnswer = 4000

/** Statements with Trino's answers, for tests that have no Trino: a line of JSON each. */
export class KeptAnswers {
  #lines = new Map()

  add({ name, sql }, { verdict }, theirs) {
    if (verdict === 'undecided') return
    const { error, columns = [], rows = [] } = theirs
    const answer =
      error === undefined
        ? {
            columns: columns.map((column) => [column.name, column.type]),
            rows: rows.map((row) =>
              row.map((value, index) => athenaText(value, columns[index].typeSignature)),
            ),
            ...(isOrdered(sql) ? { isOrdered: true } : {}),
            ...(lastDigits.test(sql) ? { hasFreeDigits: true } : {}),
          }
        : { error: error.name }
    const line = JSON.stringify({ sql, ...answer })
    if (line.length <= longestAnswer) this.#lines.set(Number(/\d+$/.exec(name)[0]), line)
  }

  write(file) {
    const lines = [...this.#lines].sort(([a], [b]) => a - b).map(([, line]) => line)
    writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
    console.log(`figure: ${lines.length} answers kept`)
  }
}
