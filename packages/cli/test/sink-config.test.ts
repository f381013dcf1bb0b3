import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { main } from '../src/index.ts'
import { loadSinkConfig } from '../src/load-sink-config.ts'
import { ServiceLog } from '../src/service/service-log.ts'
import { capturedIO } from './captured-io.ts'

const written = async (text: string, name = 'sink.mjs') => {
  const directory = await mkdtemp(path.join(tmpdir(), 'stockpipe-config-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const file = path.join(directory, name)
  await writeFile(file, text)
  return file
}

const whole = '{ kafka: { brokers: ["b"] }, groupId: "g", sink: { name: "s", topic: {}, table: {} } }'

const sink = async (...argv: string[]) => {
  const io = capturedIO()
  return { status: await main(['sink', ...argv], io), err: io.err() }
}

describe('the file of a sink', () => {
  it.each([
    ['a default export', `export default ${whole}`],
    ['an export named sink', `export const sink = ${whole}`],
    ['a function', `export default () => (${whole})`],
    ['an async function', `export default async () => (${whole})`],
  ])('is taken with %s', async (_, text) => {
    expect(await loadSinkConfig(await written(text))).toMatchObject({ groupId: 'g', sink: { name: 's' } })
  })

  it.each([
    ['export const other = 1', /exports neither `default` nor `sink`: export default defineSinkConfig/],
    ['export default 7', /it exports a number/],
    ['export default {}', /`kafka` is a client of kafkajs or its settings/],
    [`export default { ...${whole}, groupId: '' }`, /`groupId` names the consumer group/],
    [`export default { ...${whole}, sink: {} }`, /`sink` has the options of createSink/],
    [`export default { ...${whole}, sink: { name: 's', topic: null, table: {} } }`, /`sink` has the options/],
    [`export default { ...${whole}, consumer: 7 }`, /`consumer` has options of runConsumer/],
    [`export default { ...${whole}, close: 7 }`, /`close` is a function/],
    [`export default { ...${whole}, sinks: [] }`, /a field 'sinks' that nobody reads/],
    ['export default () => { throw new Error("no key") }', /the function .* exports threw Error: no key/],
    ['throw new Error("no key")', /cannot be imported: Error: no key/],
    ['export default {', /cannot be imported: \w*Error: /],
  ])('is refused in one sentence and with status 2: %s', async (text, sentence) => {
    const { status, err } = await sink('--config', await written(text))
    expect(err).toMatch(sentence)
    expect(err).toMatch(/^stockpipe sink: [^\n]*See 'stockpipe sink --help'\.\n$/)
    expect(status).toBe(2)
  })

  it('has to be there', async () => {
    const { status, err } = await sink('--config', '/no/such/file.mjs')
    expect([status, err]).toEqual([2, expect.stringContaining('there is no file /no/such/file.mjs')])
  })
})

describe('the command line of a sink', () => {
  it.each([
    [[], /it takes --config FILE/],
    [['file.mjs'], /it takes no argument such as 'file.mjs'/],
    [['--config', 'x.mjs', '--until', 'soon'], /--until takes 'latest' or a time with its zone/],
    [['--config', 'x.mjs', '--until', '2026-01-31T21:00:00'], /--until takes/],
    [['--config', 'x.mjs', '--until', '2026-02-31'], /--until takes|there is no file/],
    [['--config', 'x.mjs', '--drain-seconds', 'long'], /--drain-seconds takes 0 to 3600/],
    [['--config', 'x.mjs', '--metrics-port', '70000'], /--metrics-port takes a port/],
    [['--config', 'x.mjs', '--metrics-host', '::1'], /--metrics-host goes with --metrics-port/],
    [['--config', 'x.mjs', '--log-format', 'xml'], /--log-format takes text or json/],
  ])('%j is refused with status 2', async (argv, sentence) => {
    const { status, err } = await sink(...argv)
    expect(err).toMatch(sentence)
    expect(status).toBe(2)
  })
})

describe('lines of a service', () => {
  it('are a time, a level, a sentence and fields, quoted where they need to be', () => {
    const io = capturedIO()
    new ServiceLog(io.stderr, 'text').warn('Two\nlines', { offset: 7n, text: 'a "b" c', none: undefined })
    expect(io.err()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z warn {2}Two\\nlines offset=7 text="a \\"b\\" c"\n$/)
  })

  it('are JSON when asked, a bigint without loss', () => {
    const io = capturedIO()
    new ServiceLog(io.stderr, 'json').error('Failed.', {
      offset: 9007199254740993n,
      rows: 3,
      none: undefined,
    })
    const { time, ...line } = JSON.parse(io.err())
    expect(line).toEqual({ level: 'error', message: 'Failed.', offset: '9007199254740993', rows: 3 })
    expect(Number.isNaN(Date.parse(time))).toBe(false)
  })
})
