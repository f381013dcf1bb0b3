import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DurableMap } from '../../src/kafka/storage/durable-map.ts'
import { afterTest, temporaryDirectory } from './broker-fixture.ts'

const openMap = (path: string): DurableMap<number> => {
  const map = new DurableMap<number>(path)
  afterTest(() => map.close())
  return map
}

test('what was set or deleted is there again after opening the file anew, without closing it', () => {
  const path = join(temporaryDirectory(), 'map.jsonl')
  const map = openMap(path)
  map.set('a', 1)
  map.apply([
    ['b', 2],
    ['c', 3],
  ])
  map.delete('b')
  expect([...openMap(path).entries()]).toEqual([
    ['a', 1],
    ['c', 3],
  ])
})

test('a torn last line is cut and the next change follows the last whole one', () => {
  const path = join(temporaryDirectory(), 'map.jsonl')
  openMap(path).set('a', 1)
  appendFileSync(path, '["b",')
  const map = openMap(path)
  expect([...map.entries()]).toEqual([['a', 1]])
  map.set('c', 3)
  expect(readFileSync(path, 'utf8')).toBe('["a",1]\n["c",3]\n')
})

test('a damaged line that is not the last is an error that names the file', () => {
  const path = join(temporaryDirectory(), 'map.jsonl')
  writeFileSync(path, '["a",1]\nnonsense\n["b",2]\n')
  expect(() => new DurableMap(path)).toThrow(expect.objectContaining({ code: 'DATA_DIRECTORY_DAMAGED' }))
})

test('the file does not grow with the number of changes', () => {
  const path = join(temporaryDirectory(), 'map.jsonl')
  const map = openMap(path)
  for (let change = 0; change < 10_000; change++) map.set(`key${change % 3}`, change)
  expect(statSync(path).size).toBeLessThan(50_000)
  expect([...openMap(path).entries()].sort()).toEqual([
    ['key0', 9999],
    ['key1', 9997],
    ['key2', 9998],
  ])
})
