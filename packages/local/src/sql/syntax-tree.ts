import type { TrinoType } from './trino-type.ts'

/** Where a token starts in the statement; both count from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A name as written; compared without regard to case. */
export interface Identifier {
  readonly value: string
  readonly position: Position
}

interface Node {
  readonly position: Position
}

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>='
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%'

export interface FunctionCall extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly arguments: readonly Expression[]
  /** `count(*)`. */
  readonly star: boolean
  readonly distinct: boolean
  readonly orderBy: readonly SortItem[]
  readonly filter?: Expression
  readonly ignoreNulls: boolean
  readonly over?: WindowSpecification | Identifier
}

export type Expression =
  | (Node & { readonly kind: 'null' })
  | (Node & { readonly kind: 'boolean'; readonly value: boolean })
  | (Node & {
      readonly kind: 'number'
      readonly form: 'integer' | 'decimal' | 'double'
      readonly text: string
    })
  | (Node & { readonly kind: 'string'; readonly value: string })
  | (Node & { readonly kind: 'binary-literal'; readonly hex: string })
  | (Node & { readonly kind: 'typed-literal'; readonly typeName: string; readonly value: string })
  | (Node & {
      readonly kind: 'interval'
      readonly negative: boolean
      readonly value: string
      readonly unit: string
      readonly toUnit?: string
    })
  | (Node & { readonly kind: 'reference'; readonly parts: readonly Identifier[] })
  | (Node & { readonly kind: 'negate'; readonly operand: Expression })
  | (Node & {
      readonly kind: 'arithmetic'
      readonly operator: ArithmeticOperator
      readonly left: Expression
      readonly right: Expression
    })
  | (Node & { readonly kind: 'concatenation'; readonly left: Expression; readonly right: Expression })
  | (Node & {
      readonly kind: 'comparison'
      readonly operator: ComparisonOperator
      readonly left: Expression
      readonly right: Expression
    })
  | (Node & {
      readonly kind: 'logical'
      readonly operator: 'AND' | 'OR'
      readonly operands: readonly Expression[]
    })
  | (Node & { readonly kind: 'not'; readonly operand: Expression })
  | (Node & {
      readonly kind: 'between'
      readonly operand: Expression
      readonly low: Expression
      readonly high: Expression
    })
  | (Node & { readonly kind: 'in-list'; readonly operand: Expression; readonly list: readonly Expression[] })
  | (Node & { readonly kind: 'in-query'; readonly operand: Expression; readonly query: Query })
  | (Node & {
      readonly kind: 'like'
      readonly operand: Expression
      readonly pattern: Expression
      readonly escape?: Expression
    })
  | (Node & { readonly kind: 'is-null'; readonly operand: Expression })
  | (Node & { readonly kind: 'distinct-from'; readonly left: Expression; readonly right: Expression })
  | (Node & {
      readonly kind: 'case'
      readonly operand?: Expression
      readonly branches: readonly { readonly condition: Expression; readonly result: Expression }[]
      readonly otherwise?: Expression
    })
  | (Node & {
      readonly kind: 'cast'
      readonly operand: Expression
      readonly type: TrinoType
      readonly safe: boolean
    })
  | (Node & { readonly kind: 'exists'; readonly query: Query })
  | (Node & { readonly kind: 'subquery'; readonly query: Query })
  | (Node & { readonly kind: 'at-time-zone'; readonly operand: Expression; readonly zone: Expression })
  | (Node & { readonly kind: 'row'; readonly items: readonly Expression[] })
  | (Node & { readonly kind: 'array'; readonly items: readonly Expression[] })
  | (Node & { readonly kind: 'subscript'; readonly operand: Expression; readonly index: Expression })
  | (Node & { readonly kind: 'dereference'; readonly operand: Expression; readonly field: Identifier })
  | (Node & { readonly kind: 'lambda'; readonly parameters: readonly string[]; readonly body: Expression })
  /** A value given for a `?`: it sees no columns. */
  | (Node & { readonly kind: 'parameter'; readonly value: Expression })
  | FunctionCall

export interface SortItem {
  readonly expression: Expression
  readonly descending: boolean
  /** Trino puts NULL last in both directions unless told. */
  readonly nullsFirst: boolean
}

export type FrameBound =
  | { readonly kind: 'unbounded-preceding' | 'current-row' | 'unbounded-following' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: Expression }

export interface WindowSpecification {
  readonly base?: Identifier
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly SortItem[]
  readonly frame?: {
    readonly unit: 'ROWS' | 'RANGE' | 'GROUPS'
    readonly start: FrameBound
    readonly end: FrameBound
  }
}

export interface Query extends Node {
  readonly kind: 'query'
  readonly with: readonly CommonTableExpression[]
  readonly body: QueryBody
  readonly orderBy: readonly SortItem[]
  readonly offset?: Expression
  readonly limit?: Expression
}

export interface CommonTableExpression {
  readonly name: Identifier
  readonly columnNames?: readonly Identifier[]
  readonly query: Query
}

export type QueryBody =
  | SelectSpecification
  | Query
  | (Node & { readonly kind: 'values'; readonly rows: readonly Expression[] })
  | (Node & {
      readonly kind: 'set-operation'
      readonly operator: 'UNION' | 'INTERSECT' | 'EXCEPT'
      readonly all: boolean
      readonly left: QueryBody
      readonly right: QueryBody
    })

export type SelectItem =
  | { readonly kind: 'star'; readonly qualifier: readonly Identifier[]; readonly position: Position }
  | { readonly kind: 'expression'; readonly expression: Expression; readonly alias?: Identifier }

export type GroupingElement =
  | { readonly kind: 'simple'; readonly expression: Expression }
  | {
      readonly kind: 'sets' | 'rollup' | 'cube'
      readonly position: Position
      readonly sets: readonly (readonly Expression[])[]
    }

export interface SelectSpecification extends Node {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly items: readonly SelectItem[]
  readonly from?: RelationNode
  readonly where?: Expression
  readonly groupBy: readonly GroupingElement[]
  readonly having?: Expression
  readonly windows: readonly { readonly name: Identifier; readonly window: WindowSpecification }[]
}

export interface TableReference extends Node {
  readonly kind: 'table'
  readonly parts: readonly Identifier[]
}

export type RelationNode =
  | TableReference
  | (Node & { readonly kind: 'subquery-relation'; readonly query: Query })
  | (Node & {
      readonly kind: 'aliased'
      readonly relation: RelationNode
      readonly alias: Identifier
      readonly columnNames?: readonly Identifier[]
    })
  | (Node & {
      readonly kind: 'join'
      readonly type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS'
      readonly left: RelationNode
      readonly right: RelationNode
      readonly on?: Expression
      readonly using?: readonly Identifier[]
    })
  | (Node & {
      readonly kind: 'unnest'
      readonly expressions: readonly Expression[]
      readonly withOrdinality: boolean
    })
