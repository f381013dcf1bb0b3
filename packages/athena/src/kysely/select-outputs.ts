import { type ColumnType, ConfigurationError } from '@stockpipe/core'
import {
  AliasNode,
  type ColumnNode,
  ColumnNode as columnNode,
  IdentifierNode,
  type OperationNode,
  RawNode,
  ReferenceNode,
  type SelectionNode,
  SelectionNode as selectionNode,
  TableNode,
} from 'kysely'
import type { NameScope } from './name-scope.ts'
import type { ValueType } from './query-source.ts'
import { refuse } from './refusal.ts'

/** A column that a query answers. */
export interface OutputColumn extends ValueType {
  readonly name: string
}

export const isNested = (type: ColumnType | undefined): boolean =>
  type?.kind === 'list' || type?.kind === 'map' || type?.kind === 'struct'

/**
 * The SELECT list with `*` written out, and what it answers. At the root of a query nested values are selected as JSON
 * text: that of arrays, maps and rows cannot be read back.
 *
 * Throws a `ConfigurationError` for a root that answers a name twice, and for nested values that have no JSON.
 */
export const readSelections = (
  selections: readonly SelectionNode[],
  scope: NameScope,
  typeOf: (node: OperationNode) => ValueType,
  atRoot: boolean,
): {
  readonly selections: readonly SelectionNode[]
  readonly outputs: readonly OutputColumn[] | undefined
} => {
  const written = selections.flatMap((selection) => writtenOut(selection, scope))
  if (written.includes(undefined)) return { selections, outputs: undefined }
  const nodes: SelectionNode[] = []
  const outputs: OutputColumn[] = []
  let known = true
  for (const { selection } of written as SelectionNode[]) {
    const name = outputName(selection)
    const type = typeOf(selection)
    nodes.push(
      selectionNode.create(
        (atRoot && isNested(type.type) ? asJson(selection, name, type.type!) : selection) as never,
      ),
    )
    if (name === undefined) known = false
    else outputs.push({ ...type, name })
  }
  if (!known) return { selections: nodes, outputs: undefined }
  if (atRoot) refuseRepeated(outputs)
  return { selections: nodes, outputs }
}

/** A selection, or one a column for `*`; undefined where the columns are not known. */
const writtenOut = (node: SelectionNode, scope: NameScope): readonly (SelectionNode | undefined)[] => {
  const { selection } = node
  const reference = selection.kind === 'ReferenceNode' ? (selection as ReferenceNode) : undefined
  if (selection.kind !== 'SelectAllNode' && reference?.column.kind !== 'SelectAllNode') return [node]
  const table = reference?.table
  const sources = table
    ? scope.sources.filter(({ name }) => name === table.table.identifier.name)
    : scope.sources
  if (table?.table.schema || sources.length === 0 || sources.some(({ columns }) => !columns))
    return [undefined]
  return sources.flatMap((source) =>
    [...source.columns!.keys()].map((name) =>
      selectionNode.create(ReferenceNode.create(columnNode.create(name), TableNode.create(source.name))),
    ),
  )
}

const outputName = (node: OperationNode): string | undefined => {
  switch (node.kind) {
    case 'AliasNode': {
      const { alias } = node as AliasNode
      return alias.kind === 'IdentifierNode' ? (alias as IdentifierNode).name : undefined
    }
    case 'ColumnNode':
      return (node as ColumnNode).column.name
    case 'ReferenceNode': {
      const { column } = node as ReferenceNode
      return column.kind === 'ColumnNode' ? column.column.name : undefined
    }
    default:
      return undefined
  }
}

const asJson = (node: OperationNode, name: string | undefined, type: ColumnType): OperationNode => {
  if (holds(type, ({ kind }) => kind === 'binary')) {
    refuse(
      `JSON of binary values, which is how '${name}' would be read`,
      'select its other fields, or to_base64() of the binary ones, by a sql expression',
    )
  }
  if (holds(type, (inner) => inner.kind === 'map' && inner.key.kind === 'date')) {
    refuse(
      `JSON of maps by dates, which is how '${name}' would be read`,
      'select transform_keys(map, (day, value) -> CAST(day AS varchar)) with stated()',
    )
  }
  const value = node.kind === 'AliasNode' ? (node as AliasNode).node : node
  const json = RawNode.create(['json_format(CAST(', ' AS json))'], [value])
  return name === undefined ? json : AliasNode.create(json, IdentifierNode.create(name))
}

/** Whether a type, or one within it, is such a one. */
const holds = (type: ColumnType, isSuch: (type: ColumnType) => boolean): boolean => {
  if (isSuch(type)) return true
  switch (type.kind) {
    case 'list':
      return holds(type.element.type, isSuch)
    case 'map':
      return holds(type.value.type, isSuch)
    case 'struct':
      return type.fields.some((field) => holds(field.type, isSuch))
    default:
      return false
  }
}

const refuseRepeated = (outputs: readonly OutputColumn[]): void => {
  const names = new Set<string>()
  for (const { name } of outputs) {
    if (names.has(name.toLowerCase())) {
      throw new ConfigurationError({
        code: 'NAME_REPEATED',
        message: `The query answers '${name}' twice, and a row can hold it once; give one another name with as.`,
      })
    }
    names.add(name.toLowerCase())
  }
}

/** What a UNION answers: the names of its first part, and types where both parts agree. */
export const unitedOutputs = (
  first: readonly OutputColumn[] | undefined,
  second: readonly OutputColumn[] | undefined,
): readonly OutputColumn[] | undefined =>
  first?.map((output, index) => {
    const other = second?.[index]
    if (other && JSON.stringify(other.type) === JSON.stringify(output.type)) {
      return { ...output, nullable: output.nullable || other.nullable }
    }
    return {
      name: output.name,
      type: undefined,
      nullable: true,
      ...(output.promised && { promised: output.promised }),
    }
  })
