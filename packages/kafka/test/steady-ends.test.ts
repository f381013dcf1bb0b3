import { describe, expect, it } from 'vitest'
import { steadyEnds, type WrittenEnds } from '../src/steady-ends.ts'
import { VirtualRuntime } from './virtual-runtime.ts'

/** Asks for the ends of a topic that changes from look to look, and then stays. */
const endsOf = (looks: readonly WrittenEnds[], timeoutMillis = 60_000) => {
  const runtime = new VirtualRuntime()
  let asked = 0
  const ask = async () => looks[Math.min(asked++, looks.length - 1)]!
  const ends = runtime.passUntil(steadyEnds('topic', ask, { runtime, timeoutMillis, signal: undefined }))
  return { ends, asked: () => asked }
}

const at = (written: bigint, readable = written): WrittenEnds => ({
  written: [0n, written],
  readable: [0n, readable],
})

describe('the ends a load goes on from', () => {
  it('are those of an empty topic at once', async () => {
    const { ends, asked } = endsOf([at(0n)])
    expect(await ends).toEqual([0n, 0n])
    expect(asked()).toBe(1)
  })

  it('leave out nothing that a leader has appended and its replicas have not', async () => {
    // The first look would do for the readable end alone: it stands still for as long as a replica is away.
    expect(await endsOf([at(8n, 5n), at(8n, 5n), at(8n, 5n), at(8n), at(8n)]).ends).toEqual([0n, 8n])
    // The leader has gone, and what it alone had with it.
    expect(await endsOf([at(8n, 5n), at(8n, 5n), at(5n), at(5n)]).ends).toEqual([0n, 5n])
    expect(await endsOf([at(3n, 0n), at(3n, 0n), at(3n)]).ends).toEqual([0n, 3n])
  })

  it('are waited for while they move', async () => {
    const { ends, asked } = endsOf([at(5n), at(6n), at(7n), at(7n)])
    expect(await ends).toEqual([0n, 7n])
    expect(asked()).toBe(4)
  })

  it('that never stand still are an error after a while', async () => {
    await expect(endsOf([at(8n, 5n)]).ends).rejects.toMatchObject({
      code: 'TOPIC_NOT_STEADY',
      retryable: true,
      message: expect.stringContaining('written up to offset 8 and can be read up to 5'),
      facts: { partition: 1, written: 8n, readable: 5n },
    })
  })
})
