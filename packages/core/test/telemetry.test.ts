import diagnosticsChannel from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import { channels, type LagMeasured, TelemetryChannel } from '../src/index.ts'

const undo: (() => void)[] = []
afterEach(() => {
  for (const end of undo.splice(0)) end()
})

const lag: LagMeasured = { groupId: 'lake', topic: 'trades', partition: 0, records: 7, seconds: 1.5 }

describe('a telemetry channel', () => {
  it('does not even build a payload while nobody listens', () => {
    let built = 0
    const publish = () =>
      channels.kafka.lag.publish(() => {
        built += 1
        return lag
      })
    publish()
    expect([built, channels.kafka.lag.hasSubscribers]).toEqual([0, false])
    const end = channels.kafka.lag.subscribe(() => {})
    publish()
    expect(built).toBe(1)
    end()
    publish()
    expect([built, channels.kafka.lag.hasSubscribers]).toEqual([1, false])
  })

  it('is one of Node, found by its name', () => {
    const heard: unknown[] = []
    const listen = (message: unknown, name: string | symbol) => heard.push([name, message])
    diagnosticsChannel.subscribe('stockpipe:kafka:lag', listen)
    undo.push(() => void diagnosticsChannel.unsubscribe('stockpipe:kafka:lag', listen))
    channels.kafka.lag.publish(() => lag)
    expect(heard).toEqual([['stockpipe:kafka:lag', lag]])
  })

  it('is shared by two copies of the package', () => {
    const heard: LagMeasured[] = []
    undo.push(new TelemetryChannel<LagMeasured>('stockpipe:kafka:lag').subscribe((each) => heard.push(each)))
    channels.kafka.lag.publish(() => lag)
    expect(heard).toEqual([lag])
  })

  it('is named by its package and operation, each once', () => {
    const named = Object.values(channels).flatMap((group) => Object.values(group).map(({ name }) => name))
    expect(new Set(named).size).toBe(named.length)
    for (const name of named) expect(name).toMatch(/^stockpipe:[a-z0-9-]+:[a-z-]+$/)
  })
})
