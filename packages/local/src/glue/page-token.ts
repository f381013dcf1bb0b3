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
