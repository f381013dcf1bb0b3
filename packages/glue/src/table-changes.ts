import type { Column, Table, TableInput } from '@aws-sdk/client-glue'
import { isProjected, isProjectionParameter, type WantedTable } from './catalog-table.ts'
import { type ColumnChange, catalogColumns, checkEvolution } from './check-evolution.ts'
import { projectionChanges } from './projection-changes.ts'
import { fingerprintParameter } from './table-input.ts'
import type { DestructiveChange, TableChange } from './table-plan.ts'

/** What a table of the catalog has to become the defined one. */
export interface TableChanges {
  readonly action: 'update' | 'replace' | 'none'
  readonly changes: readonly TableChange[]
}

/** Compares a table of the catalog with the one that is wanted. */
export const tableChanges = (existing: Table, { input, removedParameters }: WantedTable): TableChanges => {
  const has = existing.StorageDescriptor ?? {}
  const wants = input.StorageDescriptor ?? {}
  const keys = keyChanges(existing.PartitionKeys ?? [], input.PartitionKeys ?? [])
  const registered = (input.PartitionKeys ?? []).length > 0 && !isProjected(input.Parameters)
  const evolution = checkEvolution(listedColumns(has.Columns), listedColumns(wants.Columns), {
    // A table that is made anew gets new partitions.
    partitionSchemas: registered && keys.length === 0 ? 'own' : 'none',
  })
  const changes: TableChange[] = [...evolution.changes.map(columnChange), ...keys]
  const compare = (
    what: string,
    before: string | undefined,
    after: string | undefined,
    reason: string,
    destructive?: DestructiveChange,
  ) => {
    if (before === after) return
    changes.push({
      kind: before === undefined ? 'add' : after === undefined ? 'remove' : 'change',
      what,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      reason,
      ...(destructive === undefined || before === undefined ? {} : { destructive }),
    })
  }
  compare(
    'location',
    has.Location === undefined ? undefined : withSlash(has.Location),
    withSlash(wants.Location ?? ''),
    registered
      ? 'registered partitions keep their own locations; files that are found by the table’s are read no more'
      : 'files at the old location are read no more',
    'move-location',
  )
  const format = 'what is not in this format is no longer read'
  compare('input format', has.InputFormat, wants.InputFormat, format, 'break-data')
  compare(
    'SerDe',
    has.SerdeInfo?.SerializationLibrary,
    wants.SerdeInfo?.SerializationLibrary,
    format,
    'break-data',
  )
  compare('table type', existing.TableType, input.TableType, 'files are left alone when the table is dropped')
  if (input.Description !== undefined) {
    compare('description', existing.Description, input.Description, 'as defined')
  }
  const parameters = existing.Parameters ?? {}
  changes.push(...projectionChanges(parameters, input.Parameters ?? {}))
  for (const [name, value] of Object.entries(input.Parameters ?? {})) {
    if (isProjectionParameter(name)) continue
    const inCatalog = name === 'EXTERNAL' ? parameters[name]?.toUpperCase() : parameters[name]
    const reason = name === fingerprintParameter ? 'the definition the table was made from' : 'as defined'
    compare(`parameter ${name}`, inCatalog, value, reason)
  }
  for (const name of removedParameters)
    compare(`parameter ${name}`, parameters[name], undefined, 'as defined')
  return { action: keys.length > 0 ? 'replace' : changes.length > 0 ? 'update' : 'none', changes }
}

/** The changes that make a table the catalog does not have. */
export const newTableChanges = ({ input }: WantedTable): readonly TableChange[] => {
  const { Columns = [], Location } = input.StorageDescriptor ?? {}
  const add = (what: string, after: string | undefined): TableChange => ({
    kind: 'add',
    what,
    ...(after === undefined ? {} : { after }),
    reason: '',
  })
  return [
    add('location', Location),
    ...Columns.map(({ Name, Type }) => add(`column ${Name}`, Type)),
    ...(input.PartitionKeys ?? []).map(({ Name, Type }) => add(`partition key ${Name}`, Type)),
    ...(input.Description === undefined ? [] : [add('description', input.Description)]),
    ...Object.entries(input.Parameters ?? {}).map(([name, value]) => add(`parameter ${name}`, value)),
  ]
}

/** The table to put: the wanted one, with all that the catalog has beside it: comments, parameters, owner, retention. */
export const mergedTableInput = (existing: Table, { input, removedParameters }: WantedTable): TableInput => {
  const parameters = Object.entries(existing.Parameters ?? {}).filter(
    ([name]) => !isProjectionParameter(name) && !removedParameters.includes(name),
  )
  const has = existing.StorageDescriptor ?? {}
  const wants = input.StorageDescriptor ?? {}
  const sameSerde = has.SerdeInfo?.SerializationLibrary === wants.SerdeInfo?.SerializationLibrary
  const merged: TableInput = {
    ...input,
    PartitionKeys: withComments(input.PartitionKeys, existing.PartitionKeys),
    StorageDescriptor: {
      ...has,
      ...wants,
      Columns: withComments(wants.Columns, has.Columns),
      ...(has.Compressed === undefined ? {} : { Compressed: has.Compressed }),
      ...(sameSerde ? { SerdeInfo: has.SerdeInfo } : {}),
    },
    Parameters: { ...Object.fromEntries(parameters), ...input.Parameters },
  }
  for (const member of ['Description', 'Owner', 'Retention', 'LastAccessTime', 'LastAnalyzedTime'] as const) {
    if (merged[member] === undefined && existing[member] !== undefined) {
      Object.assign(merged, { [member]: existing[member] })
    }
  }
  return merged
}

const withSlash = (location: string) => `${location.replace(/\/+$/, '')}/`
/** Columns of the catalog, names and types folded. */
export const listedColumns = (columns: readonly Column[] | undefined) =>
  catalogColumns((columns ?? []).map(({ Name, Type }) => ({ name: Name ?? '', type: Type ?? '' })))

const withComments = (wanted: readonly Column[] = [], existing: readonly Column[] = []): Column[] =>
  wanted.map((column) => {
    const was = existing.find(({ Name }) => Name?.toLowerCase() === column.Name?.toLowerCase())
    return { ...was, ...column }
  })

const columnChange = (change: ColumnChange): TableChange => {
  const { path, kind, before, after, outcome, reason } = change
  const destructive: DestructiveChange | undefined =
    outcome === 'hidden'
      ? 'drop-column'
      : outcome === 'error' || outcome === 'lossy'
        ? 'break-data'
        : undefined
  return {
    kind: kind === 'added' ? 'add' : kind === 'dropped' ? 'remove' : 'change',
    what: kind === 'moved' ? `place of column ${path}` : `column ${path}`,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    reason,
    ...(destructive === undefined ? {} : { destructive }),
  }
}

const keyChanges = (existing: readonly Column[], wanted: readonly Column[]): readonly TableChange[] => {
  const [old, next] = [listedColumns(existing), listedColumns(wanted)]
  return Array.from({ length: Math.max(old.length, next.length) }, (_, index) => {
    const [before, after] = [old[index], next[index]].map((key) => key && `${key.name} ${key.type}`)
    return { index, before, after }
  })
    .filter(({ before, after }) => before !== after)
    .map(({ index, before, after }) => ({
      kind: before === undefined ? 'add' : after === undefined ? 'remove' : 'change',
      what: `partition key ${index + 1}`,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      reason:
        'keys cannot change in place: the table is deleted and made anew, and loses its registered partitions',
      destructive: 'replace-table',
    }))
}
