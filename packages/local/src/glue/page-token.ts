import { ServiceError } from '../http/json-service.ts'

/** An opaque `NextToken` that carries where the next page begins. */
export const pageTokenOf = (position: string): string => Buffer.from(`1:${position}`).toString('base64url')

/** What `pageTokenOf` was given; undefined without a token. @throws `errorName` for a token that is not ours */
export function pagePositionOf(token: string | undefined, errorName: string): string | undefined {
  if (token === undefined) return undefined
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith('1:')) throw new ServiceError(errorName, 'The NextToken is not valid.')
  return text.slice(2)
}

/** One page of a list whose items come newest first, by ids without an order; the token carries the last one given. */
export function pageNewestFirst<Item>(
  items: readonly Item[],
  options: {
    readonly idOf: (item: Item) => string
    readonly timeOf: (item: Item) => number
    readonly limit: number
    readonly token: string | undefined
    readonly errorName: string
  },
): { readonly items: readonly Item[]; readonly nextToken?: string } {
  const { idOf, timeOf, limit, errorName } = options
  const position = pagePositionOf(options.token, errorName)
  let start = 0
  if (position !== undefined) {
    const [, time, id] = /^([\d.]+) (.*)$/s.exec(position) ?? []
    if (time === undefined) throw new ServiceError(errorName, 'The NextToken is not valid.')
    start = items.findIndex((item) => idOf(item) === id) + 1
    // The oldest are forgotten meanwhile: then what was before it is older.
    if (start === 0) start = items.findIndex((item) => timeOf(item) < Number(time))
    if (start === -1) start = items.length
  }
  const page = items.slice(start, start + limit)
  const last = page.at(-1)
  if (last === undefined || start + limit >= items.length) return { items: page }
  return { items: page, nextToken: pageTokenOf(`${timeOf(last)} ${idOf(last)}`) }
}

/** One page of a list that is sorted by `nameOf`; the token carries the last name given. */
export function pageByName<Item>(
  items: readonly Item[],
  options: {
    readonly nameOf: (item: Item) => string
    readonly limit: number
    readonly token: string | undefined
    readonly errorName: string
  },
): { readonly items: readonly Item[]; readonly nextToken?: string } {
  const after = pagePositionOf(options.token, options.errorName)
  const rest = after === undefined ? items : items.filter((item) => options.nameOf(item) > after)
  const page = rest.slice(0, options.limit)
  const last = page.at(-1)
  if (rest.length <= page.length || last === undefined) return { items: page }
  return { items: page, nextToken: pageTokenOf(options.nameOf(last)) }
}
