import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'

const Bucket = 'conditions'
const { s3 } = await stackOfFile(Bucket)

const put = (Key: string, Body: string, conditions: { IfMatch?: string; IfNoneMatch?: string } = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...conditions }))
const text = async (Key: string) =>
  (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString()
const failed = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }

describe('conditional writes', () => {
  it('If-None-Match with an ETag is not implemented for writes', async () => {
    await expect(put('tag', 'x', { IfNoneMatch: '"abc"' })).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    })
  })

  it('If-Match takes an ETag without quotes too', async () => {
    const { ETag } = await put('bare', 'first')
    await put('bare', 'second', { IfMatch: ETag!.replaceAll('"', '') })
    expect(await text('bare')).toBe('second')
  })

  it('30 writers at once have one winner, and its bytes stay', async () => {
    for (let round = 0; round < 5; round++) {
      const key = `race/${round}`
      const outcomes = await Promise.allSettled(
        Array.from({ length: 30 }, (_, n) => put(key, `writer ${n}`, { IfNoneMatch: '*' })),
      )
      const winners = outcomes.flatMap((outcome, n) => (outcome.status === 'fulfilled' ? [n] : []))
      expect(winners).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(failed)
      }
      expect(await text(key)).toBe(`writer ${winners[0]}`)
    }
  })
})

describe('conditional reads', () => {
  const conditions = async (Key: string, more: object) => {
    const answers = []
    for (const command of [GetObjectCommand, HeadObjectCommand]) {
      const request = new command({ Bucket, Key, ...more }) as GetObjectCommand
      const status = await s3.send(request).then(
        async (answer) => {
          await answer.Body?.transformToString()
          return answer.$metadata.httpStatusCode
        },
        (error) => error.$metadata.httpStatusCode,
      )
      answers.push(status)
    }
    expect(answers[0]).toBe(answers[1])
    return answers[0]
  }

  it('take * for any version, and a time to come for now', async () => {
    const after = new Date(Date.now() + 3_600_000)
    await put('read', 'x')
    expect(await conditions('read', { IfNoneMatch: '*' })).toBe(304)
    expect(await conditions('read', { IfMatch: '*' })).toBe(200)
    expect(await conditions('read', { IfModifiedSince: after })).toBe(304)
    expect(await conditions('read', { IfUnmodifiedSince: after })).toBe(200)
  })
})
