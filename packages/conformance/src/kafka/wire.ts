import { expect } from 'vitest'
import { type KafkaCase, refusal } from './case-cluster.ts'
import { findCoordinator, joinGroup } from './wire-api.ts'

const apiVersionsKey = 18
const metadataKey = 3

/** What clients do not show: versions, frames and coordinators. */
export const wireCases = (test: KafkaCase): void => {
  test('an unknown version of ApiVersions is answered in version 0 with UNSUPPORTED_VERSION', async (cluster) => {
    const wire = await cluster.wire()
    // From version 3 on the header ends with tagged fields: none.
    const answer = await wire.exchange(apiVersionsKey, 99, Buffer.from([0]))
    expect(answer.readInt16BE(0)).toBe(35)
  })

  test('every version kafkajs 2.2.4 sends is served', async (cluster) => {
    const wire = await cluster.wire()
    const { apiVersions } = (await wire.ask('apiVersions', 2, {})) as {
      apiVersions: { apiKey: number; minVersion: number; maxVersion: number }[]
    }
    const sent = [
      [0, 7],
      [1, 11],
      [2, 3],
      [3, 6],
      [8, 5],
      [9, 4],
      [10, 2],
      [11, 5],
      [12, 3],
      [13, 3],
      [14, 3],
      [15, 2],
      [16, 2],
      [18, 2],
      [19, 3],
      [20, 1],
      [21, 1],
      [22, 1],
      [24, 1],
      [25, 1],
      [26, 1],
      [28, 1],
      [32, 2],
      [33, 1],
      [37, 1],
      [42, 1],
    ] as const
    for (const [apiKey, version] of sent) {
      const served = apiVersions.find((api) => api.apiKey === apiKey)
      expect(served, `API ${apiKey}`).toBeDefined()
      expect(version).toBeGreaterThanOrEqual(served!.minVersion)
      expect(version).toBeLessThanOrEqual(served!.maxVersion)
    }
  })

  test('an API that does not exist ends the connection', async (cluster) => {
    const wire = await cluster.wire()
    await expect(wire.exchange(9999, 0, Buffer.alloc(0))).rejects.toThrow('closed the connection')
  })

  test('a version of Metadata that does not exist ends the connection', async (cluster) => {
    const wire = await cluster.wire()
    await expect(wire.exchange(metadataKey, 999, Buffer.alloc(0))).rejects.toThrow('closed the connection')
  })

  test('a request of more than 100 MiB ends the connection, and the next one is served', async (cluster) => {
    const wire = await cluster.wire()
    const length = Buffer.alloc(4)
    length.writeInt32BE(120_000_000)
    wire.write(length)
    await wire.closed()
    await (await cluster.wire()).ask('apiVersions', 2, {})
  })

  test('kafkajs sees a request of 120 MB as a closed connection, and its next one is served', async (cluster) => {
    const topic = await cluster.topic()
    const producer = await cluster.producer({}, 0)
    const error = await refusal(producer.send({ topic, messages: [{ value: Buffer.alloc(120_000_000) }] }))
    expect(error.name).toBe('KafkaJSNumberOfRetriesExceeded')
    expect(error.message).toMatch(/Closed connection|ECONNRESET|EPIPE/)
    const [written] = await cluster.until(
      () => producer.send({ topic, messages: [{ value: 'a' }] }).catch(() => []),
      (answers) => answers.length > 0,
    )
    expect(written).toMatchObject({ errorCode: 0, baseOffset: '0' })
  })

  test('a negative frame length ends the connection', async (cluster) => {
    const wire = await cluster.wire()
    wire.write(Buffer.from([255, 255, 255, 254]))
    await wire.closed()
  })

  test('a request that ends too early ends the connection', async (cluster) => {
    const wire = await cluster.wire()
    await expect(wire.exchange(metadataKey, 6, Buffer.from([0, 0, 0, 1, 0]))).rejects.toThrow(
      'closed the connection',
    )
  })

  test('requests sent at once are answered in their order', async (cluster) => {
    const wire = await cluster.wire()
    // ApiVersions v2: length 10, API 18, version 2, correlation id 1, no client id.
    const first = Buffer.from('0000000a0012000200000001ffff', 'hex')
    const second = Buffer.from(first)
    second.writeInt32BE(2, 8)
    wire.write(Buffer.concat([first, second]))
    expect(await wire.nextCorrelationId()).toBe(1)
    expect(await wire.nextCorrelationId()).toBe(2)
  })

  test('the coordinator of a group and of a transaction is the one broker', async (cluster) => {
    const wire = await cluster.wire()
    for (const type of ['group', 'transaction'] as const) {
      const coordinator = await findCoordinator(wire, cluster.name('key'), type)
      expect(coordinator).toMatchObject({ errorCode: 0, coordinator: { nodeId: 1 } })
    }
  })

  test('SASL where nobody has to authenticate is ILLEGAL_SASL_STATE', async (cluster) => {
    const wire = await cluster.wire()
    const answer = (await wire.ask('saslHandshake', 1, { mechanism: 'PLAIN' })) as { errorCode: number }
    expect(answer.errorCode).toBe(34)
    await wire.ask('apiVersions', 2, {})
  })

  test('a group without a name is INVALID_GROUP_ID', async (cluster) => {
    expect((await joinGroup(await cluster.wire(), '')).errorCode).toBe(24)
  })
}
