import { ConfigurationError } from '@stockpipe/core'
import type {
  AggregateFunctionNode,
  DataTypeNode,
  FunctionNode,
  OperationNode,
  OperatorNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectModifierNode,
  SelectQueryNode,
} from 'kysely'

/** Throws the error of what Kysely can write and Athena cannot run. */
export const refuse = (what: string, remedy: string): never => {
  throw new ConfigurationError({
    code: 'NOT_IN_ATHENA',
    message: `Athena has no ${what}: ${remedy}.`,
    facts: { what },
  })
}

const statements: Partial<Record<OperationNode['kind'], readonly [string, string]>> = {
  InsertQueryNode: [
    'place here for INSERT',
    'the sink writes the tables, and rows beside its journal would not be verified; write it with the sql template of @stockpipe/athena if you have to',
  ],
  UpdateQueryNode: ['UPDATE of Hive tables', 'write the corrected rows as a new partition'],
  DeleteQueryNode: ['DELETE from Hive tables', 'drop partitions in the catalog'],
  MergeQueryNode: ['MERGE into Hive tables', 'write the merged rows as a new partition'],
}

/** Only what reads is built; everything else is refused by its name. */
export const refuseStatement = (kind: OperationNode['kind']): never => {
  const [what, remedy] = statements[kind] ?? [
    `statement of Kysely's schema builder (${kind.replace(/Node$/, '')})`,
    'tables are made from their definitions by @stockpipe/glue',
  ]
  return refuse(what, remedy)
}

const operators = new Set([
  ...['=', '!=', '<>', '>', '>=', '<', '<=', 'in', 'not in', 'is', 'is not', 'like', 'not like', 'between'],
  ...[
    'is distinct from',
    'is not distinct from',
    'exists',
    'not exists',
    'not',
    '+',
    '-',
    '*',
    '/',
    '%',
    '||',
  ],
])

const remedies: Readonly<Record<string, string>> = {
  ilike: 'compare lower(column) with a pattern in lower case, by like',
  'not ilike': 'compare lower(column) with a pattern in lower case, by not like',
  '==': 'write =',
  '<=>': 'write is not distinct from',
  regexp: 'use regexp_like()',
  '~': 'use regexp_like()',
  '~*': 'use regexp_like() with (?i)',
  '->': 'use json_extract()',
  '->>': 'use json_extract_scalar()',
}

const nodes: Partial<Record<OperationNode['kind'], readonly [string, string]>> = {
  JSONReferenceNode: ['-> and ->> for JSON', 'use json_extract() and json_extract_scalar()'],
  JSONPathNode: ['-> and ->> for JSON', 'use json_extract() and json_extract_scalar()'],
  CollateNode: ['COLLATE', 'order by lower(column) or another expression'],
  DefaultInsertValueNode: ['DEFAULT values', 'leave the column out'],
}

const functions: Readonly<Record<string, string>> = {
  json_agg: 'use stated() with array_agg()',
  to_json: 'select the columns, or CAST(... AS json) by a sql expression',
}

/** Types that Kysely knows, and what Trino calls them. */
const dataTypes: Readonly<Record<string, string>> = {
  ...{ text: 'varchar', jsonb: 'json', bytea: 'varbinary', blob: 'varbinary', binary: 'varbinary' },
  ...{ int2: 'smallint', int4: 'integer', int8: 'bigint', float4: 'real', float8: 'double precision' },
  ...{ datetime: 'timestamp', timestamptz: 'timestamp' },
}

/** Throws for an expression that Athena cannot run. */
export const refuseExpression = (node: OperationNode): void => {
  if (node.kind === 'OperatorNode') {
    const { operator } = node as OperatorNode
    if (!operators.has(operator)) {
      refuse(`operator ${operator}`, remedies[operator] ?? 'write it as a function of Trino')
    }
    return
  }
  if (node.kind === 'FunctionNode' || node.kind === 'AggregateFunctionNode') {
    const { func } = node as FunctionNode | AggregateFunctionNode
    const remedy = functions[func.toLowerCase()]
    if (remedy) refuse(`function ${func}`, remedy)
  }
  if (node.kind === 'AggregateFunctionNode') {
    for (const one of (node as AggregateFunctionNode).aggregated) {
      const selected = one.kind === 'SelectionNode' ? (one as SelectionNode).selection : one
      if (selected.kind === 'ReferenceNode' && (selected as ReferenceNode).column.kind === 'SelectAllNode')
        refuse('count of the rows of one table', 'count one of its columns that is never NULL')
    }
  }
  if (node.kind === 'DataTypeNode') {
    const { dataType } = node as DataTypeNode
    const remedy = dataTypes[dataType]
    if (remedy) refuse(`type ${dataType}`, `write ${remedy}`)
  }
  const refused = nodes[node.kind]
  if (refused) refuse(...refused)
}

/** Throws for clauses of a SELECT that Athena cannot run. */
export const refuseClauses = (node: SelectQueryNode): void => {
  if (node.distinctOn) {
    refuse(
      'DISTINCT ON',
      'number the rows with row_number() over (partition by ... order by ...) and keep the first',
    )
  }
  if (node.top) refuse('TOP', 'use limit()')
  if (node.fetch) refuse('FETCH', 'use limit()')
  for (const modifier of [
    ...(node.frontModifiers ?? []),
    ...(node.endModifiers ?? []),
  ] as SelectModifierNode[]) {
    if (modifier.modifier === 'Distinct') continue
    if (modifier.modifier === undefined) {
      const { sqlFragments: [text = ''] = [] } = modifier.rawModifier as RawNode
      refuse(`modifier ${text.trim()}`, 'leave it out')
    }
    refuse(`row locks (${modifier.modifier})`, 'a query reads the files that are there when it begins')
  }
  for (const { joinType } of node.joins ?? []) {
    if (joinType === 'CrossApply' || joinType === 'OuterApply') {
      refuse('APPLY', 'use a lateral join')
    }
  }
}
