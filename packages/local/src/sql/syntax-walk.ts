import { isAggregate } from './aggregate-rules.ts'
import type { Expression, Identifier } from './syntax-tree.ts'

/** A node of the tree, or a part of one. */
export type Syntax = Readonly<Record<string, unknown>>

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null
}

/** True where a node at or below this one satisfies the test; queries inside are not entered. */
export function someNode(node: unknown, test: (node: Syntax) => boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => someNode(item, test))
  if (!isSyntax(node) || node['kind'] === 'query') return false
  return test(node) || Object.values(node).some((child) => someNode(child, test))
}

/** Contains an aggregate function that is not a window function. */
export function containsAggregate(expression: unknown): boolean {
  return someNode(expression, isAggregateCall)
}

/** A call of an aggregate function over a group. */
export function isAggregateCall(node: Syntax): boolean {
  const isCall = node['kind'] === 'call' && node['over'] === undefined
  return isCall && (isAggregate(String(node['name'])) || node['name'] === 'grouping')
}

/** The lower-cased name that a node is, without a qualifier. */
export function loneName(node: Syntax): string | undefined {
  if (node['kind'] !== 'reference') return undefined
  const [name, ...more] = node['parts'] as readonly Identifier[]
  return more.length === 0 ? name!.value.toLowerCase() : undefined
}

/** Contains a window function. */
export function containsWindow(expression: unknown): boolean {
  return someNode(expression, (node) => node['kind'] === 'call' && node['over'] !== undefined)
}

/** Contains an aggregate or window function. */
export function containsAggregateOrWindow(expression: unknown): boolean {
  return containsAggregate(expression) || containsWindow(expression)
}

/** Names a column, or a parameter, by one of these lower-cased names. */
export function mentions(expression: unknown, names: ReadonlySet<string>): boolean {
  return someNode(expression, (node) => {
    if (node['kind'] !== 'reference') return false
    const [first] = node['parts'] as readonly Identifier[]
    return names.has(first!.value.toLowerCase())
  })
}

/**
 * The expression with each node the function answers for replaced; queries inside are left alone, and so are the
 * parameters of lambdas.
 */
export function replaceNodes(
  expression: Expression,
  replacement: (node: Expression) => Expression | undefined,
): Expression {
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit)
    if (!isSyntax(node) || node['kind'] === 'query') return node
    const expression = node as Partial<Expression> as Expression
    const replaced = replacement(expression)
    if (replaced !== undefined) return replaced
    if (expression.kind === 'lambda') {
      const names = new Set(expression.parameters.map((name) => name.toLowerCase()))
      const inner = replaceNodes(expression.body, (part) =>
        part.kind === 'reference' && names.has(part.parts[0]!.value.toLowerCase()) ? part : replacement(part),
      )
      return { ...node, body: inner }
    }
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, visit(value)]))
  }
  return visit(expression) as Expression
}
