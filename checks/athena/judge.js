import { askAthena } from './ask-athena.js'
import { askTrino } from './ask-trino.js'
import { verdictOf } from './verdict.js'

/** Asks both engines every statement, `inFlight` at a time, and gives each verdict to `onVerdict`, in any order. */
export const judge = async ({ athena, trino }, database, statements, inFlight, onVerdict) => {
  const queue = statements.values()
  const worker = async () => {
    for (const statement of queue) {
      const [ours, theirs] = await Promise.all([
        askAthena(athena, database, statement.sql),
        askTrino(trino, database, statement.sql),
      ])
      onVerdict(statement, verdictOf(statement.sql, ours, theirs), theirs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}
