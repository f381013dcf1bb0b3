import type { AnalysisSession } from './analysis-session.ts'
import { cast } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, type FunctionRule, noSuchOverload, takeArguments } from './function-call.ts'
import { nativeCall } from './native-call.ts'
import {
  arrayType,
  commonType,
  isNested,
  mapType,
  rowType,
  type TrinoType,
  varcharType,
} from './trino-type.ts'
import type { TypedExpression } from './typed-expression.ts'
import { keyText, refuseNaN } from './value-comparison.ts'
import { type PlainValue, valueText } from './value-text.ts'

type PlainArray = readonly PlainValue[]
type Entry = readonly [key: PlainValue, value: PlainValue]

function invalid(message: string): FunctionFailure {
  return new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
}

/** Entries as a map; `duplicates` begins the sentence about two of one key. */
function checked(entries: readonly Entry[], key: TrinoType, duplicates: string): readonly Entry[] {
  const seen = new Set<string>()
  refuseNaN(
    entries.map(([value]) => value),
    key,
    'keys',
  )
  for (const [value] of entries) {
    if (value === null) throw invalid('map key cannot be null')
    const text = keyText(value, key)
    if (seen.has(text)) throw invalid(`${duplicates} (${valueText(value, key)}) are not allowed`)
    seen.add(text)
  }
  return entries
}

/** A map of two arrays, keys and values. */
export function makeMap(
  session: AnalysisSession,
  keys: TypedExpression,
  values: TypedExpression,
  duplicates = 'Duplicate map keys',
): TypedExpression {
  const key = (keys.type as TrinoType & { kind: 'array' }).element
  const type = mapType(key, (values.type as TrinoType & { kind: 'array' }).element)
  return nativeCall(
    session,
    `map_of_${duplicates.length}`,
    [keys, values],
    type,
    (names: PlainArray, items: PlainArray) => {
      if (names.length !== items.length) throw invalid('Key and value arrays must be the same length')
      return checked(
        names.map((name, i): Entry => [name, items[i]!]),
        key,
        duplicates,
      )
    },
  )
}

/** Keys that Trino compares as we do: nested ones have NULLs within to think of. */
export function isMapKey(type: TrinoType): boolean {
  return !isNested(type) && type.kind !== 'unknown'
}

const map: FunctionRule = (call) => {
  const [keys, values] = call.arguments
  const areArrays = keys?.type.kind === 'array' && values?.type.kind === 'array'
  if (call.arguments.length !== 2 || !areArrays || !isMapKey(keys.type.element)) throw noSuchOverload(call)
  return makeMap(call.session, keys, values)
}

/** The row types of map_from_entries and its like. */
function entriesOf(call: AnalyzedCall): {
  readonly entries: TypedExpression
  readonly key: TrinoType
  readonly value: TrinoType
} {
  const [entries] = call.arguments
  const row = entries?.type.kind === 'array' ? entries.type.element : undefined
  if (call.arguments.length !== 1 || row?.kind !== 'row' || row.fields.length !== 2)
    throw noSuchOverload(call)
  const [key, value] = row.fields.map((field) => field.type)
  if (!isMapKey(key!)) throw noSuchOverload(call)
  return { entries: entries!, key: key!, value: value! }
}

function noNullEntries(entries: readonly (Entry | null)[]): readonly Entry[] {
  return entries.map((entry) => {
    if (entry === null) throw invalid('map entry cannot be null')
    return entry
  })
}

const mapFromEntries: FunctionRule = (call) => {
  const { entries, key, value } = entriesOf(call)
  return nativeCall(
    call.session,
    call.name,
    [entries],
    mapType(key, value),
    (items: readonly (Entry | null)[]) => checked(noNullEntries(items), key, 'Duplicate keys'),
  )
}

/** Values by key, in the order keys come first. */
function grouped(entries: readonly Entry[], key: TrinoType): readonly Entry[] {
  const groups = new Map<string, { readonly key: PlainValue; readonly values: PlainValue[] }>()
  for (const [name, value] of entries) {
    if (name === null) throw invalid('map key cannot be null')
    const text = keyText(name, key)
    const group = groups.get(text) ?? { key: name, values: [] }
    groups.set(text, group)
    group.values.push(value)
  }
  return [...groups.values()].map((group) => [group.key, group.values])
}

const multimapFromEntries: FunctionRule = (call) => {
  const { entries, key, value } = entriesOf(call)
  const type = mapType(key, arrayType(value))
  return nativeCall(call.session, call.name, [entries], type, (items: readonly (Entry | null)[]) =>
    grouped(noNullEntries(items), key),
  )
}

const mapEntries: FunctionRule = (call) => {
  const [operand] = call.arguments
  if (call.arguments.length !== 1 || operand?.type.kind !== 'map') throw noSuchOverload(call)
  const type = arrayType(rowType([{ type: operand.type.key }, { type: operand.type.value }]))
  return nativeCall(call.session, call.name, [operand], type, (entries: readonly Entry[]) => entries)
}

/** The last map's entries first, as Trino has them: its values win. */
const mapConcat: FunctionRule = (call) => {
  const [first, ...others] = call.arguments
  if (first?.type.kind !== 'map' || others.length === 0) throw noSuchOverload(call)
  let type: TrinoType = first.type
  for (const other of others) {
    const common: TrinoType | undefined = other.type.kind === 'map' ? commonType(type, other.type) : undefined
    if (common === undefined) throw noSuchOverload(call)
    type = common
  }
  const { key } = type as TrinoType & { kind: 'map' }
  const maps = call.arguments.map((argument) => cast(call.session, argument, type, false, call.position))
  return nativeCall(call.session, call.name, maps, type, (...values: (readonly Entry[])[]) => {
    const seen = new Set<string>()
    return [...values].reverse().flatMap((entries) =>
      entries.filter(([name]) => {
        const text = keyText(name, key)
        if (seen.has(text)) return false
        seen.add(text)
        return true
      }),
    )
  })
}

const splitToMap: FunctionRule = (call) => {
  const args = takeArguments(call, ['varchar', 'varchar', 'varchar'])
  const plain = args.map(({ sql }) => ({ type: varcharType, sql }))
  const type = mapType(varcharType, varcharType)
  const split = (text: string, entryBy: string, keyBy: string): PlainValue => {
    if (entryBy === '') throw invalid('entryDelimiter is empty')
    if (keyBy === '') throw invalid('keyValueDelimiter is empty')
    if (entryBy === keyBy) throw invalid('entryDelimiter and keyValueDelimiter must not be the same')
    const pieces = text === '' ? [] : text.split(entryBy)
    // Trino forgives a delimiter at the end.
    if (pieces.at(-1) === '') pieces.pop()
    const entries = pieces.map((piece): Entry => {
      const at = piece.indexOf(keyBy)
      if (at < 0)
        throw invalid(`Key-value delimiter must appear exactly once in each entry. Bad input: '${piece}'`)
      const value = piece.slice(at + keyBy.length)
      if (value.includes(keyBy))
        throw invalid(`Key-value delimiter must appear exactly once in each entry. Bad input: '${piece}'`)
      return [piece.slice(0, at), value]
    })
    return checked(entries, varcharType, 'Duplicate keys')
  }
  return nativeCall(call.session, call.name, plain, type, split)
}

/** Aggregates of entries, after the list of rows of key and value that a group has. */
export function mapOfFirst(
  session: AnalysisSession,
  list: string,
  key: TrinoType,
  value: TrinoType,
): TypedExpression {
  const entries = { type: arrayType(rowType([{ type: key }, { type: value }])), sql: list }
  const type = mapType(key, value)
  return nativeCall(session, 'map_agg', [entries], type, (items: readonly Entry[]) => {
    const seen = new Map<string, Entry>()
    for (const entry of items) {
      const text = keyText(entry[0], key)
      if (!seen.has(text)) seen.set(text, entry)
    }
    return [...seen.values()]
  })
}

export function multimapOf(
  session: AnalysisSession,
  list: string,
  key: TrinoType,
  value: TrinoType,
): TypedExpression {
  const entries = { type: arrayType(rowType([{ type: key }, { type: value }])), sql: list }
  return nativeCall(
    session,
    'multimap_agg',
    [entries],
    mapType(key, arrayType(value)),
    (items: readonly Entry[]) => grouped(items, key),
  )
}

export const mapConstructors: Readonly<Record<string, FunctionRule>> = {
  map,
  map_from_entries: mapFromEntries,
  multimap_from_entries: multimapFromEntries,
  map_entries: mapEntries,
  map_concat: mapConcat,
  split_to_map: splitToMap,
}
