import { expect, it } from 'vitest'
import { pageNewestFirst } from '../../src/glue/page-token.ts'

interface Item {
  readonly id: string
  readonly time: number
}
const items: readonly Item[] = [6, 5, 4, 4, 2, 1].map((time, at) => ({ id: `id ${at}`, time: time + 0.25 }))
const page = (from: readonly Item[], token: string | undefined) =>
  pageNewestFirst(from, {
    idOf: (item) => item.id,
    timeOf: (item) => item.time,
    limit: 3,
    token,
    errorName: 'InvalidRequestException',
  })

it('pages that come newest first hold each item once, new ones before the first page left out', () => {
  const first = page(items, undefined)
  const grown = [{ id: 'new', time: 9 }, ...items]
  const second = page(grown, first.nextToken)
  expect([...first.items, ...second.items]).toEqual(items)
  expect(second.nextToken).toBeUndefined()
})

it('the next page is of what is older, or empty, where the last item given is gone', () => {
  const { nextToken } = page(items, undefined)
  expect(page([...items.slice(0, 2), ...items.slice(4)], nextToken).items).toEqual(items.slice(4))
  expect(page(items.slice(0, 2), nextToken)).toEqual({ items: [] })
})

it('a token of another listing is refused', () => {
  expect(() => page(items, Buffer.from('1:elsewhere').toString('base64url'))).toThrow(/NextToken/)
})
