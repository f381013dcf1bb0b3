import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { createPushSink, createS3ObjectStore, type LifecycleRule } from '../src/index.ts'
import { FakeLog } from './sink/fake-log.ts'
import { LineEngine } from './sink/line-engine.ts'
import { ManualRuntime } from './sink/manual-runtime.ts'
import { MemoryObjectStore, refusal } from './sink/memory-object-store.ts'
import { lake, sinkUnderTest, ticksTopic } from './sink/sink-fixture.ts'

const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({
  id: 'rule',
  prefix: '',
  filtered: false,
  expires: false,
  archives: false,
  abortsUploadsAfterDays: undefined,
  ...more,
})

/** What a sink warns of when it starts on a bucket with these rules. */
const warningsWith = async (
  rules: readonly LifecycleRule[] | Error,
  ageMillis = 300_000,
): Promise<readonly string[]> => {
  const memory = Object.assign(new MemoryObjectStore(), {
    lifecycleRules: async () => {
      if (rules instanceof Error) throw rules
      return rules
    },
  })
  const { sink, warnings } = sinkUnderTest({ objects: memory, rotation: { ageMillis } })
  await sink.assign([new FakeLog().assigned], { generation: 1 })
  await sink.close()
  return warnings
}

describe('lifecycle rules of the bucket, at start-up', () => {
  it.each<[string, Partial<LifecycleRule>, RegExp]>([
    [
      'delete everything',
      { expires: true },
      /"rule" \(prefix ""\) of bucket lake deletes objects of the journal/,
    ],
    ['delete below the journal', { prefix: '_stockpipe/journal/market/groups/', expires: true }, /deletes/],
    ['delete some of it', { prefix: '_stockpipe/', expires: true, filtered: true }, /that match its filter/],
    ['archive it', { prefix: '_stockpipe/journal/', archives: true }, /archives objects of the journal/],
    ['remove uploads early', { abortsUploadsAfterDays: 3 }, /removes incomplete uploads after 3 days/],
    ['remove uploads of the table early', { prefix: 'ticks/', abortsUploadsAfterDays: 6 }, /after 6 days/],
    [
      'remove uploads of dead letters early',
      { prefix: '_stockpipe/dead-letters/', abortsUploadsAfterDays: 1 },
      /after 1 days/,
    ],
  ])('that %s are reported', async (_, more, warning) => {
    const warnings = await warningsWith([rule(more)])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(warning)
  })

  it('that remove uploads while a group may be open, whose parts are sent by then, are reported', async () => {
    const days = (count: number) => count * 86_400_000
    const warned = async (after: number, ageMillis: number) =>
      (await warningsWith([rule({ abortsUploadsAfterDays: after })], ageMillis)).join()
    expect(await warned(7, days(0.9))).toBe('')
    expect(await warned(10, days(3))).toBe('')
    expect(await warned(9, days(3))).toMatch(/after 9 days: .* Give it 10 days at least/)
    expect(await warned(365, Number.POSITIVE_INFINITY)).toMatch(/no greatest age: set rotation\.ageMillis/)
  })

  it('are reported once by a sink that records are pushed to, too', async () => {
    const warnings: string[] = []
    const sink = createPushSink({
      name: 'market',
      topic: ticksTopic,
      table: lake,
      store: Object.assign(new MemoryObjectStore(), {
        lifecycleRules: async () => [rule({ expires: true }), rule({ abortsUploadsAfterDays: 3 })],
      }),
      logger: { info() {}, warn: (text) => warnings.push(text), error() {} },
      runtime: new ManualRuntime(4),
      createEngine: () => new LineEngine(),
      genesis: 0n,
    })
    const log = new FakeLog().appendMany(4)
    await sink.push(log.block(0n, 2))
    await sink.push(log.block(2n, 2))
    await sink.close()
    expect(warnings).toEqual([
      expect.stringMatching(/^Sink market: .*deletes objects of the journal/),
      expect.stringMatching(/removes incomplete uploads after 3 days/),
    ])
  })

  it.each<[string, Partial<LifecycleRule>]>([
    ['expire data files', { prefix: 'ticks/', expires: true }],
    ['expire other journals', { prefix: '_stockpipe/journal/market-2/', expires: true }],
    ['leave uploads a week', { abortsUploadsAfterDays: 7 }],
    ['remove uploads elsewhere', { prefix: 'quotes/', abortsUploadsAfterDays: 1 }],
  ])('that %s are not', async (_, more) => {
    expect(await warningsWith([rule(more)])).toEqual([])
  })

  it('that may not be read hinder nothing', async () => {
    expect(await warningsWith(refusal(403))).toEqual([])
    expect(await warningsWith(new Error('network'))).toEqual([])
  })
})

describe('lifecycle rules as S3 answers them', () => {
  const rulesOf = (status: number, body: string) => {
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: 'http://s3.test',
      forcePathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
      requestHandler: {
        handle: async () => ({
          response: { statusCode: status, headers: {}, body: Readable.from([Buffer.from(body)]) },
        }),
      } as never,
    })
    return createS3ObjectStore({ client, bucket: 'lake' }).lifecycleRules!()
  }

  it('are those that are switched on, by what they do', async () => {
    const body = `<LifecycleConfiguration>
      <Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>x/</Prefix></Filter><Expiration><Days>9</Days></Expiration></Rule>
      <Rule><ID>b</ID><Status>Enabled</Status><Filter><And><Prefix>y/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>
        <Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>
      <Rule><ID>c</ID><Status>Enabled</Status><Filter/><AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
      <Rule><ID>d</ID><Status>Disabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>
      <Rule><Status>Enabled</Status><Prefix>old/</Prefix><Transition><Days>1</Days><StorageClass>STANDARD_IA</StorageClass></Transition></Rule>
    </LifecycleConfiguration>`
    expect(await rulesOf(200, body)).toEqual([
      rule({ id: 'a', prefix: 'x/', expires: true }),
      rule({ id: 'b', prefix: 'y/', filtered: true, archives: true }),
      rule({ id: 'c', abortsUploadsAfterDays: 2 }),
      rule({ id: '', prefix: 'old/' }),
    ])
  })

  it('are none when the bucket has none', async () => {
    expect(await rulesOf(404, '<Error><Code>NoSuchLifecycleConfiguration</Code></Error>')).toEqual([])
  })

  it('are an error when they may not be read', async () => {
    await expect(rulesOf(403, '<Error><Code>AccessDenied</Code></Error>')).rejects.toMatchObject({
      status: 403,
    })
  })
})
