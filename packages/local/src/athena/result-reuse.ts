import type { InputMembers } from '../glue/input-members.ts'
import { invalidRequest } from './athena-error.ts'
import type { QueryExecution } from './query-execution.ts'
import type { ResultFiles } from './result-files.ts'

/** Functions whose answer is another one each time: a query with them is never answered from an earlier result. */
const changing = /\b(rand|random|uuid|now|shuffle|current_(date|time|timestamp)|localtime(stamp)?)\b/i

/** How old a result may be, in minutes, from ResultReuseConfiguration; undefined where none is to be reused. */
export function reuseMaxAgeOf(input: InputMembers): number | undefined {
  const byAge = input
    .optionalObject('ResultReuseConfiguration')
    ?.optionalObject('ResultReuseByAgeConfiguration')
  if (byAge === undefined) return undefined
  const enabled = byAge.optionalBoolean('Enabled')
  const minutes = byAge.optionalInteger('MaxAgeInMinutes', { min: 0, max: 10_080 })
  if (enabled === undefined) throw invalidRequest('ResultReuseByAgeConfiguration needs Enabled')
  return enabled ? (minutes ?? 60) : undefined
}

/** What makes two queries the same. */
export type ReuseRequest = Pick<
  QueryExecution,
  'sql' | 'database' | 'workGroup' | 'parameters' | 'outputLocation'
>

/**
 * The newest of a work group's queries that asked the same, in the same database and with results in the same place, whose
 * result is no older than that and still there.
 */
export async function reusableExecution(
  earlier: readonly QueryExecution[],
  resultFiles: ResultFiles,
  request: ReuseRequest,
  maxAgeMinutes: number,
  nowMillis: number,
): Promise<QueryExecution | undefined> {
  if (changing.test(request.sql)) return undefined
  const key = keyOf(request)
  for (const one of earlier) {
    if (one.state !== 'SUCCEEDED' || one.substatementType !== 'SELECT' || one.reused === true) continue
    if (nowMillis - (one.completedMillis ?? 0) > maxAgeMinutes * 60_000) continue
    if (keyOf(one) !== key) continue
    if ((await resultFiles.find(one)) !== undefined) return one
  }
  return undefined
}

const keyOf = (request: ReuseRequest): string =>
  JSON.stringify([
    request.sql.trim().replace(/;$/, '').trim(),
    request.database ?? null,
    request.parameters ?? [],
    request.outputLocation.slice(0, request.outputLocation.lastIndexOf('/')),
  ])
