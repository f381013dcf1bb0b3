import { type ColumnType, ConfigurationError } from '@stockpipe/core'
import { type StatedAnswerColumn, typeText } from '../stated-column.ts'
import type { ResultPath } from './answer-pages.ts'
import { parseStoredLocation, type ResultStore } from './result-store.ts'
import { queryShape } from './unload-statement.ts'

/** From so many rows on, the files of UNLOAD are worth their making: Athena writes them in parallel. */
export const unloadRows = 1_000_000

/** What decides whether a query is run as UNLOAD. */
export interface UnloadQuestion {
  readonly sql: string
  readonly stated: readonly StatedAnswerColumn[]
  readonly path: ResultPath | undefined
  readonly expectedRows: number | undefined
  readonly store: ResultStore | undefined
  /** Where files may be written for the time of reading them. */
  readonly location: string | undefined
  /** An earlier result would do. */
  readonly mayReuse: boolean
}

/**
 * Whether a query is run as UNLOAD: where it is asked for, or of itself, when `expectedRows` says that it is worth it and
 * nothing of the answer could be another for it.
 *
 * Throws a `ConfigurationError` where it is asked for and cannot be.
 */
export const choosesUnload = async (question: UnloadQuestion): Promise<boolean> => {
  const { sql, stated, path, expectedRows = 0, store, location, mayReuse } = question
  if (path === 'unload') {
    refuse(question)
    return true
  }
  if (path !== undefined || expectedRows < unloadRows || mayReuse) return false
  if (!store || location === undefined || unreadable(stated, isPlain).length > 0) return false
  const { isQuery, isOrdered } = queryShape(sql)
  return isQuery && !isOrdered && (await store.canReadParquet())
}

const refuse = ({ sql, stated, location }: UnloadQuestion): void => {
  if (!parseStoredLocation(location)?.key.endsWith('/')) {
    throw refusal(
      `${location === undefined ? 'no place for its files is set' : `${location} is no s3://bucket/prefix/`}: give createAthena an unloadLocation, s3://bucket/prefix/`,
    )
  }
  if (!queryShape(sql).isQuery) throw refusal('the statement is not one SELECT: leave resultPath out')
  const problems = unreadable(stated, isReadable).map(({ name, type }) => `'${name}' (${typeText(type)})`)
  if (problems.length > 0) {
    throw refusal(
      `the files cannot hold what is stated for ${problems.join(', ')}: leave resultPath out, or CAST in the query`,
    )
  }
}

const refusal = (why: string): ConfigurationError =>
  new ConfigurationError({
    code: 'RESULT_PATH',
    message: `A query cannot be read by the resultPath unload: ${why}.`,
  })

type StatedType = StatedAnswerColumn['type']

const unreadable = (
  stated: readonly StatedAnswerColumn[],
  is: (type: StatedType) => boolean,
): readonly StatedAnswerColumn[] => stated.filter(({ type }) => !is(type))

const plainKinds: ReadonlySet<string> = new Set([
  'boolean',
  'int8',
  'int16',
  'int32',
  'int64',
  'epochNanos',
  'float',
  'double',
  'decimal',
  'string',
  'binary',
  'date',
  'timestamp',
] satisfies ColumnType['kind'][])

/** UNLOAD writes every value of such a type. */
const isPlain = ({ kind }: StatedType): boolean => plainKinds.has(kind)

/** A timestamp within others may be written in a way that is read as another one. */
const isReadable = (type: StatedType): boolean =>
  isPlain(type) || type.kind === 'json' || isNestedReadable(type)

const isNestedReadable = (type: StatedType): boolean => {
  switch (type.kind) {
    case 'list':
      return isInner(type.element.type)
    case 'map':
      return isInner(type.key) && isInner(type.value.type)
    case 'struct':
      return type.fields.every((field) => isInner(field.type))
    default:
      return false
  }
}

const isInner = (type: ColumnType): boolean => type.kind !== 'timestamp' && isReadable(type)
