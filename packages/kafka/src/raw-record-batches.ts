import { isDeepStrictEqual } from 'node:util'
import type { RecordBlock } from '@stockpipe/core'
import type { Kafka, KafkaMessage } from 'kafkajs'
import { type FetchedBatch, fetchedBlocks } from './fetched-batch.ts'
import { loadInflate } from './inflate.ts'
import {
  clusterFactory,
  type KafkajsBroker,
  type KafkajsCluster,
  type ProtocolRequest,
} from './kafkajs-cluster.ts'
import type { LogValidation } from './log-validation.ts'
import { type BlockLimits, messageBlocks } from './message-blocks.ts'
import { decodeRawFetch, type FetchAnswer, type FetchOffsets, rawFetchApi } from './raw-fetch-response.ts'
import { recordedFetch } from './recorded-fetch.ts'
import { fetchWholeResponses } from './response-socket.ts'
import { registerZstd } from './zstd-codec.ts'

type StockAnswer = FetchAnswer<KafkaMessage & { readonly isControlRecord: boolean }>
type FetchProtocol = ProtocolRequest<StockAnswer>
type StockDecode = FetchProtocol['response']['decode']

/** A node of the cluster that fetches, as kafkajs 2.0 to 2.2 has it. */
interface FetchingBroker extends KafkajsBroker {
  fetch(request: { readonly topics: FetchOffsets }): Promise<unknown>
  disconnect(): Promise<void>
}

/**
 * A `Kafka` like the one it is given, whose consumers are handed whole record batches (`FetchedBatch`) in the place of
 * messages. Only objects that kafkajs makes for these consumers are touched: no module, and no other client.
 *
 * Where kafkajs is not as it is known, where it does not read a recorded answer as we do, or where brokers are older
 * than Kafka 2.3, messages come as ever, and the log of `kafka` says so once.
 *
 * @param validation makes sure of each answer that it follows on from those before it
 */
export const withRawRecordBatches = (kafka: Kafka, validation: LogValidation): Kafka => {
  const factory = clusterFactory(kafka)
  if (factory === undefined) {
    warnOnce(kafka, 'it is no Kafka of kafkajs 2.0 to 2.2')
    return kafka
  }
  const create = (options: unknown): unknown => {
    const cluster = factory.create(options)
    if (isFetchingCluster(cluster)) {
      const findBroker = cluster.findBroker.bind(cluster)
      cluster.findBroker = async (node) => rawBroker(kafka, await findBroker(node), validation)
      fetchOverOwnSockets(cluster)
    } else warnOnce(kafka, 'its clusters are not those of kafkajs 2.0 to 2.2')
    return cluster
  }
  return Object.create(kafka, { [factory.name]: { value: create } }) as Kafka
}

const fetchOverOwnSockets = ({ brokerPool }: Pick<KafkajsCluster, 'brokerPool'>): void => {
  if (!brokerPool) return
  const { connectionPoolBuilder } = brokerPool
  const build = connectionPoolBuilder.build.bind(connectionPoolBuilder)
  connectionPoolBuilder.build = async (...place) => {
    const pool = await build(...place)
    await fetchWholeResponses(pool)
    return pool
  }
}

const isFetchingCluster = (value: unknown): value is Pick<KafkajsCluster, 'findBroker' | 'brokerPool'> =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, 'findBroker') === 'function'

const rawBrokers = new WeakMap<KafkajsBroker, KafkajsBroker>()

/** A broker that fetches record batches and is the given one in all else. */
const rawBroker = (kafka: Kafka, broker: KafkajsBroker, validation: LogValidation): KafkajsBroker => {
  const known = rawBrokers.get(broker)
  if (known) return known
  if (!isFetchingBroker(broker)) {
    warnOnce(kafka, 'its brokers are not those of kafkajs 2.0 to 2.2')
    return broker
  }
  const raw = Object.create(broker, {
    fetch: {
      value: (request: { readonly topics: FetchOffsets }) => {
        const asked = validation.asked(request.topics)
        const validated = validation.beforeFetch(broker, asked)
        // kafkajs's own fetch, over a connection that reads the answer otherwise.
        const fetching = Object.create(broker, {
          connectionPool: {
            value: {
              send: async (protocol: FetchProtocol) =>
                broker.connectionPool.send(await rawProtocol(kafka, protocol, asked, validated)),
            },
          },
          disconnect: { value: () => broker.disconnect() },
        }) as FetchingBroker
        return broker.fetch.call(fetching, { ...request, topics: asked })
      },
    },
  }) as KafkajsBroker
  rawBrokers.set(broker, raw)
  return raw
}

const isFetchingBroker = (broker: KafkajsBroker): broker is FetchingBroker =>
  typeof Reflect.get(broker, 'fetch') === 'function' &&
  typeof Reflect.get(broker, 'disconnect') === 'function' &&
  typeof broker.connectionPool?.send === 'function'

const rawProtocol = async (
  kafka: Kafka,
  protocol: FetchProtocol,
  fetchOffsets: FetchOffsets,
  validated: (answer: FetchAnswer<FetchedBatch>) => Promise<FetchAnswer<FetchedBatch>>,
): Promise<FetchProtocol> => {
  const { apiKey, apiVersion } = protocol.request
  if (apiKey !== rawFetchApi.key || apiVersion !== rawFetchApi.version) {
    warnOnce(kafka, `brokers and kafkajs speak version ${apiVersion} of Fetch, and only 11 is known`)
    return protocol
  }
  const { decode, parse } = protocol.response
  const difference = await differenceTo(decode)
  if (difference !== undefined) {
    warnOnce(kafka, difference)
    return protocol
  }
  return {
    ...protocol,
    response: {
      parse,
      decode: async (payload) => {
        const raw = decodeRawFetch(payload, fetchOffsets)
        // Message sets as before Kafka 0.11, which only kafkajs reads.
        return raw === undefined ? decode(payload) : ((await validated(raw)) as unknown as StockAnswer)
      },
    },
  }
}

const compared = new WeakMap<StockDecode, Promise<string | undefined>>()

/** How kafkajs reads a recorded answer otherwise than we do, looked at once; undefined when it does not. */
const differenceTo = (decode: StockDecode): Promise<string | undefined> => {
  let difference = compared.get(decode)
  if (difference === undefined) {
    difference = compare(decode).catch((error: unknown) => `it does not read a recorded answer: ${error}`)
    compared.set(decode, difference)
  }
  return difference
}

const compare = async (decode: StockDecode): Promise<string | undefined> => {
  const { payload, fetchOffsets, nextOffset } = recordedFetch
  const stock = await decode(Buffer.from(payload))
  const raw = decodeRawFetch(Buffer.from(payload), fetchOffsets)!
  const inflate = await loadInflate()
  const limits: BlockLimits = { maxBlockRecords: 1000, maxBlockBytes: 1_000_000 }
  const withBlocks = <Message>(
    answer: FetchAnswer<Message>,
    blocksOf: (
      log: { topic: string; partition: number },
      messages: readonly Message[],
    ) => Iterable<RecordBlock>,
  ) => ({
    ...answer,
    responses: answer.responses.map(({ topicName: topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ messages, abortedTransactions, ...fields }) => ({
        ...fields,
        // Messages do not tell leader epochs.
        blocks: Array.from(
          blocksOf({ topic, partition: fields.partition }, messages),
          ({ leaderEpoch, ...block }) => block,
        ),
      })),
    })),
  })
  const byKafkajs = withBlocks(stock, (log, messages) => {
    const shown = messages.filter(({ isControlRecord }) => !isControlRecord)
    return messageBlocks({ ...log, messages: shown }, 0n, nextOffset, limits)
  })
  const byUs = withBlocks(raw, (log, messages) => {
    const shown = messages.filter(({ isControlRecord }) => !isControlRecord) as unknown as KafkaMessage[]
    return fetchedBlocks({ ...log, messages: shown }, { position: 0n, from: 0n, nextOffset }, limits, inflate)
  })
  return isDeepStrictEqual(byKafkajs, byUs) ? undefined : 'it reads a recorded answer otherwise'
}

const warned = new WeakSet<Kafka>()

const warnOnce = (kafka: Kafka, reason: string): void => {
  if (warned.has(kafka)) return
  warned.add(kafka)
  registerZstd()
  kafka.logger?.().warn(`stockpipe reads messages one by one, which takes several times the CPU: ${reason}`)
}
