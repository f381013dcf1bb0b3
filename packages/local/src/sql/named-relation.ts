import type { ResolvedTable, ResolvedView } from './query-engine.ts'
import type { Query } from './syntax-tree.ts'

/** A view with its query as read. */
export interface ParsedView {
  readonly view: ResolvedView
  readonly query: Query
}

/** What a name of the catalog means. */
export type NamedRelation = ResolvedTable | ParsedView

export function isView(relation: NamedRelation): relation is ParsedView {
  return 'view' in relation
}
