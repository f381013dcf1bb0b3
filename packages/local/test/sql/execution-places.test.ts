import { expect, it } from 'vitest'
import { ExecutionPlaces } from '../../src/sql/execution-places.ts'

const never = new AbortController().signal

it('gives its places first come first served, and again when they are given back', async () => {
  const places = new ExecutionPlaces(2)
  const [first, second] = await Promise.all([places.take(never), places.take(never)])
  const order: number[] = []
  const third = places.take(never).then((release) => {
    order.push(3)
    return release
  })
  const fourth = places.take(never).then((release) => {
    order.push(4)
    return release
  })
  await Promise.resolve()
  expect(order).toEqual([])
  first()
  ;(await third)()
  ;(await fourth)()
  second()
  expect(order).toEqual([3, 4])
  await Promise.all([places.take(never), places.take(never)])
})

it('who leaves while waiting takes no place', async () => {
  const places = new ExecutionPlaces(1)
  const release = await places.take(never)
  const abort = new AbortController()
  const leaving = places.take(abort.signal)
  const staying = places.take(never)
  const reason = new Error('stopped')
  abort.abort(reason)
  await expect(leaving).rejects.toBe(reason)
  await expect(places.take(abort.signal)).rejects.toBe(reason)
  release()
  ;(await staying)()
  await places.take(never)
})
