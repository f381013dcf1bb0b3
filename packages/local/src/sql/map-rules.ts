import type { AnalysisSession } from './analysis-session.ts'
import { coerce } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type FunctionRule, noSuchOverload } from './function-call.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported } from './query-failure.ts'
import type { Position } from './syntax-tree.ts'
import { arrayType, type TrinoType, typeText } from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'

export type MapExpression = TypedExpression & { readonly type: TrinoType & { readonly kind: 'map' } }

export function isMap(expression: TypedExpression | undefined): expression is MapExpression {
  return expression?.type.kind === 'map'
}

/** Keys whose text is the one Trino's error names. */
const keyKinds = ['varchar', 'tinyint', 'smallint', 'integer', 'bigint', 'date', 'boolean']

const checkKey: NativeFunction = {
  name: 'check_map_key',
  parameters: ['BIGINT', 'VARCHAR'],
  returns: 'BIGINT',
  evaluate: (found: bigint, key: string) => {
    if (found === 0n) throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', `Key not present in map: ${key}`)
    return 1n
  },
}

function keyOf(session: AnalysisSession, map: MapExpression, key: TypedExpression): string | undefined {
  // A longer text is merely not there.
  if (map.type.key.kind === 'varchar' && key.type.kind === 'varchar') return key.sql
  return keyKinds.includes(map.type.key.kind) ? coerce(session, key, map.type.key)?.sql : undefined
}

/** map[key]; a key the map does not have fails. */
export function mapSubscript(
  session: AnalysisSession,
  map: MapExpression,
  key: TypedExpression,
  position: Position,
): TypedExpression {
  const sought = keyOf(session, map, key)
  if (sought === undefined)
    throw notSupported(`subscripts of ${typeText(map.type)} by ${typeText(key.type)}`, position)
  const found = `map_extract(${map.sql}, ${sought})`
  const place = session.native(checkKey, [`len(${found})`, `CAST(${sought} AS VARCHAR)`])
  return {
    type: map.type.value,
    sql: `CASE WHEN ${map.sql} IS NULL OR ${sought} IS NULL THEN NULL ELSE list_extract(${found}, ${place}) END`,
  }
}

/** element_at(map, key); NULL where the map does not have the key. */
export const mapElementAt: FunctionRule = (call) => {
  const [map, key] = call.arguments
  const sought = isMap(map) && key !== undefined ? keyOf(call.session, map, key) : undefined
  if (!isMap(map) || sought === undefined || call.arguments.length !== 2) throw noSuchOverload(call)
  return { type: map.type.value, sql: `list_extract(map_extract(${map.sql}, ${sought}), 1)` }
}

function only(call: Parameters<FunctionRule>[0]): MapExpression {
  const [map] = call.arguments
  if (!isMap(map) || call.arguments.length !== 1) throw noSuchOverload(call)
  return map
}

export const mapFunctions: Readonly<Record<string, FunctionRule>> = {
  map_keys: (call) => {
    const { type, sql } = only(call)
    return { type: arrayType(type.key), sql: `map_keys(${sql})` }
  },
  map_values: (call) => {
    const { type, sql } = only(call)
    return { type: arrayType(type.value), sql: `map_values(${sql})` }
  },
}
