import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GlueTable } from '../glue/catalog-model.ts'
import { escapePathName, parseLocation, unescapePathName } from '../glue/hive-path.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { type CatalogColumn, QueryError } from '../sql/query-engine.ts'
import {
  type ProjectedColumn,
  type ProjectedValue,
  ProjectionPropertyError,
  projectedColumn,
} from './projected-column.ts'
import type { LocatedPartition } from './table-files.ts'

/** Which of a table's partitions a query needs, as `ResolvedTable.listFiles` has it. */
export interface PartitionsWanted {
  readonly keep: (partitionValues: readonly (string | null)[]) => boolean
  readonly keepValue?: ((keyIndex: number, value: string | null) => boolean) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Partitions a query can read. */
const mostPartitions = 1_000_000
/** Values tried before others of this process get their turn. */
const turnValues = 10_000

/** True when a table's partitions come from its properties; registered ones are ignored then. */
export function isProjected(table: GlueTable): boolean {
  return propertiesOf(table).get('projection.enabled')?.trim().toLowerCase() === 'true'
}

/** A table's partition projection: its partitions as its properties give them. */
export class PartitionProjection {
  readonly #owner: string
  readonly #columns: readonly ProjectedColumn[]
  readonly #template: readonly TemplatePart[]

  /** @throws QueryError HIVE_METASTORE_ERROR for a property that is missing or not understood */
  constructor(table: GlueTable, partitionKeys: readonly CatalogColumn[], nowMillis: number) {
    const owner = `${table.DatabaseName}.${table.Name}`
    this.#owner = owner
    const properties = propertiesOf(table)
    const missing = partitionKeys.filter((key) => !properties.has(`projection.${key.name}.type`))
    if (missing.length > 0) {
      throw metastoreError(
        `Table ${owner} is configured for partition projection, but the following partition columns are ` +
          `missing projection configuration: [${missing.map((key) => key.name).join(', ')}]`,
      )
    }
    try {
      refuseUnknown(properties, partitionKeys)
      this.#columns = partitionKeys.map((key) => {
        const prefix = `projection.${key.name}.`
        const own = [...properties].filter(([name]) => name.startsWith(prefix))
        const named = new Map(own.map(([name, value]) => [name.slice(prefix.length), value]))
        return projectedColumn(key, named, nowMillis)
      })
      this.#template = templateOf(table, properties.get('storage.location.template'), partitionKeys)
    } catch (error) {
      if (!(error instanceof ProjectionPropertyError)) throw error
      throw metastoreError(`Table ${owner} is configured for partition projection, but ${error.message}`)
    }
  }

  /**
   * The partitions a query needs. Injected columns take their values from the folders that exist.
   *
   * @throws QueryError HIVE_EXCEEDED_PARTITION_LIMIT, CONSTRAINT_VIOLATION where the query does not name an injected value
   */
  async partitions(storage: ObjectStorage, wanted: PartitionsWanted): Promise<readonly LocatedPartition[]> {
    const { keep, signal } = wanted
    const injected = this.#columns.filter((column) => column.kind === 'injected').map(({ name }) => name)
    const lists = await this.#wantedValues(wanted)
    const kept: LocatedPartition[] = []
    let tried = 0
    const sets = injected.length === 0 ? [new Map()] : await this.#injectedValues(storage, signal)
    for (const values of sets) {
      for (const partition of this.#combinations(lists, values)) {
        tried += 1
        if (tried % turnValues === 0) {
          await nextTurn()
          signal?.throwIfAborted()
        }
        if (!keep(partition.values)) continue
        for (const name of injected) this.#refuseUnbound(name, partition.values, keep)
        if (kept.length === mostPartitions) throw this.#tooMany()
        kept.push(partition)
      }
    }
    if (kept.length === 0 && injected.length > 0) this.#refuseAnything(injected, lists, keep)
    return kept
  }

  /** The values of each listed column that the query can need; undefined for an injected one. */
  async #wantedValues({ keepValue = () => true, signal }: PartitionsWanted) {
    const lists: (readonly ProjectedValue[] | undefined)[] = []
    for (const [at, column] of this.#columns.entries()) {
      const list: ProjectedValue[] = []
      let tried = 0
      for (const one of column.kind === 'listed' ? column.values() : []) {
        tried += 1
        if (tried % turnValues === 0) {
          await nextTurn()
          signal?.throwIfAborted()
        }
        if (!keepValue(at, one.value)) continue
        if (list.length === mostPartitions) throw this.#tooMany()
        list.push(one)
      }
      lists.push(column.kind === 'listed' ? list : undefined)
    }
    return lists
  }

  /** Where the files of a partition are; undefined for values the projection does not have. */
  locationOf(values: readonly (string | null)[]): string | undefined {
    const chosen = this.#columns.map((column, at): ProjectedValue | undefined => {
      const value = values[at] ?? null
      if (value === null) return undefined
      if (column.kind === 'injected') return { value, text: value }
      for (const one of column.values()) if (one.value === value) return one
      return undefined
    })
    const known = chosen.filter((one) => one !== undefined)
    return known.length === chosen.length ? this.#locationOf(known) : undefined
  }

  *#combinations(
    listed: readonly (readonly ProjectedValue[] | undefined)[],
    injected: ReadonlyMap<string, string>,
  ): Iterable<LocatedPartition & { readonly values: readonly string[] }> {
    const lists = this.#columns.map(({ name }, at): readonly ProjectedValue[] => {
      const value = injected.get(name) ?? ''
      return listed[at] ?? [{ value, text: value }]
    })
    const count = lists.reduce((product, list) => product * list.length, 1)
    if (count > mostPartitions) throw this.#tooMany()
    for (let number = 0; number < count; number += 1) {
      let rest = number
      const chosen: ProjectedValue[] = new Array(lists.length)
      for (let at = lists.length - 1; at >= 0; at -= 1) {
        const list = lists[at] as readonly ProjectedValue[]
        chosen[at] = list[rest % list.length] as ProjectedValue
        rest = Math.floor(rest / list.length)
      }
      yield { values: chosen.map((one) => one.value), location: this.#locationOf(chosen) }
    }
  }

  #tooMany(): QueryError {
    return new QueryError(
      'HIVE_EXCEEDED_PARTITION_LIMIT',
      `HIVE_EXCEEDED_PARTITION_LIMIT: Query over table '${this.#owner}' can potentially read more than ${mostPartitions} partitions`,
    )
  }

  #locationOf(chosen: readonly ProjectedValue[]): string {
    return this.#template
      .map((part) => {
        if (part.kind === 'literal') return part.text
        const text = chosen[part.column]?.text ?? ''
        return part.escaped ? escapePathName(text) : text
      })
      .join('')
  }

  /** The values injected columns have in the folders beneath the fixed start of the template. */
  async #injectedValues(
    storage: ObjectStorage,
    signal: AbortSignal | undefined,
  ): Promise<readonly ReadonlyMap<string, string>[]> {
    const start = this.#template[0]
    const fixed = start?.kind === 'literal' ? start.text : ''
    const location = parseLocation(fixed.slice(0, fixed.lastIndexOf('/') + 1))
    if (location === undefined) {
      throw metastoreError(
        `Table ${this.#owner} is configured for partition projection, but its storage.location.template does not name the bucket that injected values are looked for in`,
      )
    }
    const pattern = this.#pattern()
    const found = new Map<string, ReadonlyMap<string, string>>()
    for await (const object of storage.listObjects(location.bucket, location.prefix)) {
      signal?.throwIfAborted()
      const match = pattern.exec(`s3://${location.bucket}/${object.key}`)
      if (match === null) continue
      const values = new Map<string, string>()
      this.#columns.forEach((column, at) => {
        const text = match.groups?.[`column${at}`] ?? ''
        const escaped = this.#template.some(
          (part) => part.kind === 'column' && part.column === at && part.escaped,
        )
        if (column.kind === 'injected') values.set(column.name, escaped ? unescapePathName(text) : text)
      })
      found.set(JSON.stringify([...values]), values)
    }
    return [...found.values()]
  }

  /** Matches an object beneath any partition; a placeholder named twice must repeat its text. */
  #pattern(): RegExp {
    const seen = new Set<number>()
    const source = this.#template.map((part) => {
      if (part.kind === 'literal') return part.text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
      if (seen.has(part.column)) return `\\k<column${part.column}>`
      seen.add(part.column)
      // A formatted date may hold slashes; an injected value is one folder's name.
      return `(?<column${part.column}>${this.#columns[part.column]?.kind === 'listed' ? '.+?' : '[^/]+?'})`
    })
    return new RegExp(`^${source.join('')}`, 's')
  }

  /** A value next to an accepted one is accepted too: the query does not name the values of the column. */
  #refuseUnbound(name: string, values: readonly string[], keep: PartitionsWanted['keep']): void {
    const at = this.#columns.findIndex((column) => column.name === name)
    const neighbour = values.map((value, index) => (index === at ? `${value}\u0000` : value))
    if (keep(neighbour)) throw unboundInjection(name)
  }

  /** With no folder to go by: are the lowest and highest texts accepted? */
  #refuseAnything(
    names: readonly string[],
    lists: readonly (readonly ProjectedValue[] | undefined)[],
    keep: PartitionsWanted['keep'],
  ): void {
    for (const probe of ['\u0000', '\u{10ffff}']) {
      const values = new Map(names.map((name) => [name, probe]))
      for (const partition of this.#combinations(lists, values)) {
        if (keep(partition.values)) throw unboundInjection(names[0] ?? '')
      }
    }
  }
}

type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'column'; readonly column: number; readonly escaped: boolean }

/** The location of a partition: the table's own template, or Hive's folders beneath its location. */
function templateOf(
  table: GlueTable,
  template: string | undefined,
  keys: readonly CatalogColumn[],
): readonly TemplatePart[] {
  if (template === undefined) {
    const location = table.StorageDescriptor?.Location ?? ''
    if (location === '') throw new ProjectionPropertyError('the table has no location')
    const base = location.endsWith('/') ? location : `${location}/`
    const folders = keys.flatMap((key, column): TemplatePart[] => [
      { kind: 'literal', text: `${column === 0 ? base : '/'}${escapePathName(key.name)}=` },
      { kind: 'column', column, escaped: true },
    ])
    return [...folders, { kind: 'literal', text: '/' }]
  }
  const parts = template.split(/\$\{([^}]*)\}/).map((text, at): TemplatePart => {
    if (at % 2 === 0) return { kind: 'literal', text }
    const column = keys.findIndex((key) => key.name === text.toLowerCase())
    if (column === -1) {
      throw new ProjectionPropertyError(
        `storage.location.template '${template}' names \${${text}}, which is no partition column`,
      )
    }
    return { kind: 'column', column, escaped: false }
  })
  const absent = keys.find(
    (_, column) => !parts.some((part) => part.kind === 'column' && part.column === column),
  )
  if (absent !== undefined) {
    throw new ProjectionPropertyError(
      `storage.location.template '${template}' is missing the partition column placeholder \${${absent.name}}`,
    )
  }
  if (!template.endsWith('/')) {
    throw new ProjectionPropertyError(`storage.location.template '${template}' does not end with '/'`)
  }
  if (parseLocation(template) === undefined) {
    throw new ProjectionPropertyError(`storage.location.template '${template}' is not an S3 location`)
  }
  return parts
}

/** Property names compare without case; values stay as they are. */
function propertiesOf(table: GlueTable): ReadonlyMap<string, string> {
  return new Map(Object.entries(table.Parameters ?? {}).map(([name, value]) => [name.toLowerCase(), value]))
}

function refuseUnknown(properties: ReadonlyMap<string, string>, keys: readonly CatalogColumn[]): void {
  for (const name of properties.keys()) {
    if (!name.startsWith('projection.') || name === 'projection.enabled') continue
    if (keys.some((key) => name.startsWith(`projection.${key.name}.`))) continue
    throw new ProjectionPropertyError(`the property ${name} names no partition column`)
  }
}

const metastoreError = (message: string): QueryError =>
  new QueryError('HIVE_METASTORE_ERROR', `HIVE_METASTORE_ERROR: ${message}`)

const unboundInjection = (column: string): QueryError =>
  new QueryError(
    'CONSTRAINT_VIOLATION',
    `CONSTRAINT_VIOLATION: For the injected projected partition column ${column}, the WHERE clause must contain only static equality conditions, and at least one such condition must be present.`,
  )
