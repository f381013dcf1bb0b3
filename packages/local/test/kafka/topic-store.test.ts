import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TopicConfig } from '../../src/kafka/topics/topic-config.ts'
import { partitionDirectoryName } from '../../src/kafka/topics/topic-directory.ts'
import { TopicStore } from '../../src/kafka/topics/topic-store.ts'
import { afterTest, temporaryDirectory } from './broker-fixture.ts'

const openStore = (dataDirectory: string): TopicStore => {
  const store = new TopicStore(dataDirectory)
  afterTest(() => store.close())
  return store
}

test('directory names differ on file systems that ignore case, and are no device names of Windows', () => {
  expect(partitionDirectoryName('market.trades_v1', 3)).toBe('market.trades_v1-3')
  const names = ['trades', 'Trades', 'TRADES', 'con.x', 'con_x', 'aux', '.hidden', 'a'.repeat(249)]
  const directories = names.map((name) => partitionDirectoryName(name, 0))
  expect(new Set(directories.map((name) => name.toLowerCase())).size).toBe(names.length)
  for (const directory of directories) {
    expect(directory.length).toBeLessThanOrEqual(255)
    expect(directory.split('.')[0]!.toLowerCase()).not.toMatch(/^(con|prn|aux|nul)$/)
    expect(directory).not.toMatch(/^\./)
  }
})

test('topics, their partitions and configurations are there again after a restart', () => {
  const directory = temporaryDirectory()
  const store = openStore(directory)
  store.create('trades', { partitionCount: 2, configs: { 'retention.ms': '1000' } })
  store.create('bars', { partitionCount: 1 })
  store.addPartitions('trades', 4)
  store.configure('trades', { 'retention.ms': '2000' })
  store.delete('bars')
  const reopened = openStore(directory)
  expect(reopened.all().map(({ name }) => name)).toEqual(['trades'])
  expect(reopened.get('trades')!.partitions.length).toBe(4)
  expect(reopened.get('trades')!.config.overrides).toEqual({ 'retention.ms': '2000' })
})

test('a topic keeps its id over configurations, more partitions and restarts, and one made anew has another', () => {
  const directory = temporaryDirectory()
  const store = openStore(directory)
  store.create('trades', { partitionCount: 1 })
  const { id } = store.get('trades')!
  store.addPartitions('trades', 2)
  store.configure('trades', { 'retention.ms': '2000' })
  const reopened = openStore(directory)
  expect(reopened.get('trades')!.id).toBe(id)
  reopened.delete('trades')
  reopened.create('trades', { partitionCount: 1 })
  expect(reopened.get('trades')!.id).not.toBe(id)
})

test('what a deletion left behind when the process died is removed on start', () => {
  const directory = temporaryDirectory()
  openStore(directory).create('trades', { partitionCount: 1 })
  mkdirSync(join(directory, 'logs', 'gone-0'))
  openStore(directory)
  expect(readdirSync(join(directory, 'logs'))).toEqual(['trades-0'])
})

test('a configuration that cannot be served is refused with what is possible', () => {
  const refusal = (configs: Record<string, string | null>) => {
    try {
      return new TopicConfig(configs) && 'accepted'
    } catch (error) {
      return `${(error as { code: string }).code}: ${(error as Error).message}`
    }
  }
  expect(refusal({ 'cleanup.policy': 'compact' })).toBe(
    'INVALID_CONFIG: Invalid value compact for configuration cleanup.policy: the embedded broker supports delete only',
  )
  expect(refusal({ 'retention.ms': 'soon' })).toContain('it is not a whole number')
  expect(refusal({ 'retention.ms': '-2' })).toContain('it is less than -1')
  expect(refusal({ nonsense: '1' })).toBe('INVALID_CONFIG: Unknown topic config name: nonsense')
  expect(refusal({ constructor: '1' })).toContain('Unknown topic config name')
  expect(refusal({ 'retention.ms': null })).toContain('Null value')
  expect(refusal({ 'cleanup.policy': 'delete', 'segment.bytes': '1000000' })).toBe('accepted')
  expect(refusal({ 'compression.type': 'brotli' })).toContain(
    'it must be one of producer, uncompressed, zstd',
  )
  expect(refusal({ 'compression.gzip.level': '0' })).toContain('it must be in -1..-1 or 1..9')
  expect(refusal({ 'compression.type': 'lz4', 'compression.gzip.level': '-1' })).toBe('accepted')
})
