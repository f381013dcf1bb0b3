import { Kafka } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { checkConsumerOptions, type RunConsumerOptions, sinksByTopic } from '../src/consumer-options.ts'
import { MemorySink } from './memory-sink.ts'

const check = (over: Partial<RunConsumerOptions>) => {
  const kafka = new Kafka({ brokers: ['localhost:1'] })
  const options = { kafka, groupId: 'group', topics: ['topic'], sink: new MemorySink(), ...over }
  return () => checkConsumerOptions(options, sinksByTopic(options))
}
const code = (code: string) => expect.objectContaining({ code })

describe('the options of a consumer', () => {
  it('are fine as they are by default, with one sink or one by topic', () => {
    expect(check({})).not.toThrow()
    expect(check({ topics: ['a', 'b'], sink: { a: new MemorySink(), b: new MemorySink() } })).not.toThrow()
    expect(check({ until: 0 })).not.toThrow()
  })

  it('refuse a topic without a sink, and no topic', () => {
    expect(check({ sink: { other: new MemorySink() } })).toThrow(code('SINK_MISSING'))
    expect(check({ topics: [] })).toThrow(code('SINK_MISSING'))
  })

  it('refuse times by which one late heartbeat loses the member', () => {
    expect(check({ heartbeatIntervalMillis: 15_000 })).toThrow(code('HEARTBEAT_TOO_RARE'))
    expect(check({ maxWaitMillis: 20_000 })).toThrow(code('HEARTBEAT_TOO_RARE'))
    expect(check({ heartbeatIntervalMillis: 0 })).toThrow(code('HEARTBEAT_TOO_RARE'))
    expect(check({ heartbeatIntervalMillis: 14_500 })).not.toThrow()
    expect(check({ maxWaitMillis: 20_000, sessionTimeoutMillis: 50_000 })).not.toThrow()
  })

  it.each([-1, 1.5, Number.NaN, new Date(Number.NaN), new Date(-1)])('refuse to read until %s', (until) => {
    expect(check({ until })).toThrow(code('UNTIL_INVALID'))
  })
})
