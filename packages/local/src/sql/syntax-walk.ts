import { isAggregate } from './aggregate-rules.ts'
import type { Expression } from './syntax-tree.ts'

type Syntax = Readonly<Record<string, unknown>>

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null
}

/** True where a node at or below this one satisfies the test; queries inside are not entered. */
function some(node: unknown, test: (node: Syntax) => boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => some(item, test))
  if (!isSyntax(node) || node['kind'] === 'query') return false
  return test(node) || Object.values(node).some((child) => some(child, test))
}

/** Contains an aggregate function that is not a window function. */
export function containsAggregate(expression: unknown): boolean {
  return some(
    expression,
    (node) =>
      node['kind'] === 'call' &&
      node['over'] === undefined &&
      (isAggregate(String(node['name'])) || node['name'] === 'grouping'),
  )
}

/** Contains a window function. */
export function containsWindow(expression: unknown): boolean {
  return some(expression, (node) => node['kind'] === 'call' && node['over'] !== undefined)
}

/** Contains an aggregate or window function. */
export function containsAggregateOrWindow(expression: unknown): boolean {
  return containsAggregate(expression) || containsWindow(expression)
}

/** Names a column, or a parameter, by one of these lower-cased names. */
export function mentions(expression: unknown, names: ReadonlySet<string>): boolean {
  return some(expression, (node) => {
    if (node['kind'] !== 'reference') return false
    const [first] = node['parts'] as readonly { readonly value: string }[]
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
    const replaced = replacement(node as unknown as Expression)
    if (replaced !== undefined) return replaced
    if (node['kind'] === 'lambda') {
      const { parameters, body } = node as unknown as Expression & { kind: 'lambda' }
      const names = new Set(parameters.map((name) => name.toLowerCase()))
      const inner = replaceNodes(body, (part) =>
        part.kind === 'reference' && names.has(part.parts[0]!.value.toLowerCase()) ? part : replacement(part),
      )
      return { ...node, body: inner }
    }
    return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, visit(value)]))
  }
  return visit(expression) as Expression
}
