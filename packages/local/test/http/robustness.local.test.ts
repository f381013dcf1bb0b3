import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import path from 'node:path'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { stackOfFile } from '../stack/stack-of-file.ts'
import { sendSigned, sign } from './raw-request.ts'

const Bucket = 'robust'
const seed = Math.floor(Math.random() * 2 ** 31)
const { stack, s3 } = await stackOfFile(Bucket)

beforeAll(async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'big', Body: Buffer.alloc(3_000_000, 7) }))
})

const codeOf = (body: string) => /<Code>(.*?)<\/Code>/.exec(body)?.[1]

/** Sends bytes as they are, and answers what comes back within a moment. */
const sendBytes = (bytes: string | Buffer, options: { hangUp?: boolean } = {}): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(stack.aws.endpoint).port), '127.0.0.1')
    let answer = ''
    const timer = setTimeout(() => socket.destroy(), 300)
    socket.on('data', (data) => {
      answer += data.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(answer)
    })
    socket.write(bytes)
    if (options.hangUp) setTimeout(() => socket.destroy(), 20)
  })

/** A small generator of numbers that a seed makes again. */
const randomOf = (start: number) => {
  let state = start
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const rawOf = ({ method, target, headers, body }: ReturnType<typeof sign>) =>
  `${method} ${target} HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`

const stillWorks = async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'alive', Body: 'yes' }))
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'alive' }))
  expect(await got.Body!.transformToString()).toBe('yes')
}

describe('the HTTP port', () => {
  it('refuses what is no request, bad paths and bad XML, each with its name', async () => {
    expect(await sendBytes('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    expect(await sendBytes('GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n')).toContain('<Code>InvalidURI</Code>')
    expect(await sendBytes('GET /%ff HTTP/1.1\r\nhost: x\r\n\r\n')).toContain('<Code>InvalidURI</Code>')
    for (const body of [
      '',
      '<',
      'text',
      '<Delete></Delete>',
      '<!DOCTYPE x [<!ENTITY a "b">]><Delete>&a;</Delete>',
      '<Delete><Object>x</Object></Delete>',
    ]) {
      const answer = await sendSigned(stack, {
        method: 'POST',
        path: `/${Bucket}`,
        query: [['delete', '']],
        body,
        headers: { 'x-amz-checksum-crc32': 'AAAAAA==' },
      })
      expect(answer.statusCode, body).toBe(400)
    }
    const long = await sendSigned(stack, {
      method: 'PUT',
      path: `/${Bucket}/${'k'.repeat(1_025)}`,
      body: 'x',
    })
    expect(codeOf(long.body)).toBe('KeyTooLongError')
    const lengthless = sign(stack, { method: 'PUT', path: `/${Bucket}/x`, payloadHash: 'UNSIGNED-PAYLOAD' })
    const { 'content-length': _, ...headers } = lengthless.headers
    const chunked = {
      ...lengthless,
      headers: { ...headers, 'transfer-encoding': 'chunked' },
      body: '1\r\nx\r\n0\r\n\r\n',
    }
    expect(await sendBytes(rawOf(chunked))).toMatch(/411[\s\S]*MissingContentLength/)
    await stillWorks()
  })

  it('writes nothing of an upload whose sender hangs up', async () => {
    const upload = sign(stack, {
      method: 'PUT',
      path: `/${Bucket}/half`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      body: 'x'.repeat(100_000),
    })
    await sendBytes(rawOf(upload).slice(0, 50_000), { hangUp: true })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'half' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    })
    expect(await readdir(path.join(stack.dataDir, 's3-meta', '.staging'))).toEqual([])
  })

  it('lives through readers that hang up', async () => {
    const download = sign(stack, { path: `/${Bucket}/big` })
    await Promise.all(Array.from({ length: 20 }, () => sendBytes(rawOf(download), { hangUp: true })))
    await stillWorks()
  })

  it('lets no key out of the data directory', async () => {
    const before = await readdir(path.dirname(stack.dataDir))
    for (const key of [
      '../../../escape',
      '..%2f..%2f..%2fescape',
      '%2e%2e/%2e%2e/%2e%2e/escape',
      '/etc/escape',
      '..\\..\\escape',
    ]) {
      const answer = await sendSigned(stack, {
        method: 'PUT',
        path: `/${Bucket}/${key.replaceAll('\\', '%5C')}`,
        body: 'out',
      })
      expect(answer.statusCode, key).toBe(200)
    }
    for (const bucket of ['..', '.', '%2e%2e', '.staging', '..%2f..']) {
      const answer = await sendSigned(stack, { method: 'PUT', path: `/${bucket}`, body: '' })
      expect(answer.statusCode, bucket).toBeGreaterThanOrEqual(400)
    }
    expect(existsSync(path.join(stack.dataDir, 'escape'))).toBe(false)
    expect(existsSync(path.join(stack.dataDir, '..', 'escape'))).toBe(false)
    expect((await readdir(path.dirname(stack.dataDir))).filter((name) => name.includes('escape'))).toEqual(
      before.filter((name) => name.includes('escape')),
    )
  })

  it(`lives through 1,000 signed requests of odd form (seed ${seed})`, async () => {
    const random = randomOf(seed)
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!
    const statuses = new Map<number, number>()
    for (let round = 0; round < 50; round++) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          sendSigned(stack, {
            method: pick(['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']),
            path: pick([
              '/',
              `/${Bucket}`,
              `/${Bucket}/`,
              `/${Bucket}/big`,
              `/${Bucket}//`,
              '//',
              '/%00',
              `/${Bucket}/%00`,
              '/no',
            ]),
            query: [
              [
                pick([
                  'uploads',
                  'uploadId',
                  'partNumber',
                  'list-type',
                  'delete',
                  'acl',
                  'x-id',
                  'max-keys',
                  'versionId',
                  'prefix',
                  'continuation-token',
                  '__proto__',
                  'constructor',
                ]),
                pick(['', '2', '-1', '1e9', 'x', '\u0000', '__proto__']),
              ],
            ],
            headers: {
              [pick([
                'range',
                'if-match',
                'if-none-match',
                'x-amz-copy-source',
                'x-amz-meta-__proto__',
                'content-md5',
                'x-amz-checksum-crc32',
                'x-amz-acl',
                'x-amz-metadata-directive',
                'expect',
              ])]: pick([
                'bytes=0-0',
                'bytes=-',
                '*',
                '""',
                `${Bucket}/big`,
                '/',
                '%',
                'AAAAAA==',
                '100-continue',
              ]),
            },
            body: pick([
              '',
              '',
              'x',
              '<Delete/>',
              '<CompleteMultipartUpload><Part/></CompleteMultipartUpload>',
            ]),
          }).catch(() => undefined),
        ),
      )
      for (const answer of answers) {
        const status = answer?.statusCode ?? 0
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    const counted = JSON.stringify([...statuses].sort())
    expect(statuses.get(500) ?? 0, counted).toBe(0)
    expect(statuses.get(0) ?? 0, counted).toBeLessThan(150)
    await stillWorks()
  })
})
