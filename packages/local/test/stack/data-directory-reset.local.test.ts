import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CreateBucketCommand, ListBucketsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalStack, startLocalStack } from '../../src/local-stack.ts'
import { s3ClientFor } from './s3-client.ts'

let directory: string
const anyPorts = { httpPort: 0, kafkaPort: 0 }

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'stockpipe-reset-test-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const putSomething = async (stack: LocalStack) => {
  const s3 = s3ClientFor(stack)
  await s3.send(new CreateBucketCommand({ Bucket: 'written' }))
  await s3.send(new PutObjectCommand({ Bucket: 'written', Key: 'a/b', Body: 'x' }))
  s3.destroy()
}

const bucketNames = async (stack: LocalStack) => {
  const s3 = s3ClientFor(stack)
  const { Buckets } = await s3.send(new ListBucketsCommand({}))
  s3.destroy()
  return (Buckets ?? []).map(({ Name }) => Name)
}

/** A data directory with a bucket in it, and no stack over it. */
const written = async (name: string) => {
  const dataDir = path.join(directory, name)
  const stack = await startLocalStack({ dataDir, ...anyPorts })
  await putSomething(stack)
  await stack.close()
  return dataDir
}

/** Every path below a directory. */
const treeOf = async (dataDir: string) => (await readdir(dataDir, { recursive: true })).sort()

describe('a reset', () => {
  it('empties a data directory before the start, also one that is empty or not there yet', async () => {
    const dataDir = await written('full')
    await using stack = await startLocalStack({ dataDir, reset: true, ...anyPorts })
    expect(await bucketNames(stack)).toEqual([])
    const fresh = path.join(directory, 'not/there/yet')
    await (await startLocalStack({ dataDir: fresh, reset: true, ...anyPorts })).close()
    await mkdir(path.join(directory, 'empty'))
    await (
      await startLocalStack({ dataDir: path.join(directory, 'empty'), reset: true, ...anyPorts })
    ).close()
    await (await startLocalStack({ reset: true, ...anyPorts })).close()
  })

  it('leaves a directory that is not ours as it is, and says why', async () => {
    const dataDir = await written('with-notes')
    await writeFile(path.join(dataDir, 'notes.txt'), 'mine')
    const project = path.join(directory, 'project')
    await mkdir(path.join(project, 'kafka/src'), { recursive: true })
    await writeFile(path.join(project, 'kafka/src/index.js'), '')
    for (const [dir, reason] of [
      [dataDir, 'it holds notes.txt, which no local stack has put there'],
      [project, 'nothing shows that a local stack made it'],
    ] as const) {
      const before = await treeOf(dir)
      await expect(startLocalStack({ dataDir: dir, reset: true, ...anyPorts })).rejects.toMatchObject({
        name: 'ConfigurationError',
        code: 'NOT_A_DATA_DIRECTORY',
        message: expect.stringContaining(reason),
      })
      expect(await treeOf(dir)).toEqual(before)
    }
  })

  it('is refused while another stack has the directory, and removes nothing', async () => {
    const dataDir = path.join(directory, 'owned')
    await using stack = await startLocalStack({ dataDir, ...anyPorts })
    await putSomething(stack)
    await expect(startLocalStack({ dataDir, reset: true, ...anyPorts })).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    })
    expect(await bucketNames(stack)).toEqual(['written'])
  })

  it('that was killed halfway is finished by the next start, whether or not that one asks for it', async () => {
    const whole = await written('halfway')
    const parts = (await readdir(whole)).sort()
    expect(parts).toEqual(['athena', 'glue', 'kafka', 's3', 's3-meta'])
    for (const [removed, reset] of [
      [0, false],
      [3, false],
      [parts.length, false],
      [2, true],
      [parts.length, true],
    ] as const) {
      const dataDir = path.join(directory, `halfway-${removed}-${reset}`)
      await cp(whole, dataDir, { recursive: true })
      await writeFile(path.join(dataDir, 'stockpipe-reset'), '')
      for (const part of parts.slice(0, removed)) await rm(path.join(dataDir, part), { recursive: true })
      await using stack = await startLocalStack({ dataDir, reset, ...anyPorts })
      expect(await bucketNames(stack)).toEqual([])
      expect(existsSync(path.join(dataDir, 'stockpipe-reset'))).toBe(false)
    }
  })
})

it.runIf(process.platform === 'linux')('a data directory below /proc is refused at once', async () => {
  for (const dataDir of ['/proc/stockpipe-none', '/proc/stockpipe-none/a/b']) {
    await expect(startLocalStack({ dataDir, ...anyPorts })).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_UNUSABLE',
      message: expect.stringContaining(dataDir),
    })
  }
})
