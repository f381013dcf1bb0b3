import * as group from './group-messages.ts'
import * as record from './record-messages.ts'
import * as sasl from './sasl-messages.ts'
import * as topic from './topic-messages.ts'
import type { WireType, WireValue } from './wire-types.ts'

/** One API of the protocol: its number, the versions that are served, and its two messages. */
export interface Api<Request, Response, Name extends string = string> {
  readonly name: Name
  readonly key: number
  readonly minVersion: number
  readonly maxVersion: number
  /** From this version on lengths are compact and structures have tagged fields. */
  readonly flexibleFrom?: number
  readonly request: WireType<Request>
  readonly response: WireType<Response>
}

const api = <Request, Response, const Name extends string>(
  name: Name,
  key: number,
  [minVersion, maxVersion]: readonly [number, number],
  messages: { request: WireType<Request>; response: WireType<Response>; flexibleFrom?: number },
): Api<Request, Response, Name> => ({ name, key, minVersion, maxVersion, ...messages })

/**
 * Every API the broker speaks, below the flexible versions of each; only Metadata goes on, to the first that tells topic ids.
 *
 * Lower bounds are those of Apache Kafka 4 where older versions would need the message formats before v2.
 * Produce v0-2 is offered, as there, because clients look for it, and answered with an error.
 */
export const apiTable = {
  produce: api('Produce', 0, [0, 8], record.produce),
  fetch: api('Fetch', 1, [4, 11], record.fetch),
  listOffsets: api('ListOffsets', 2, [1, 5], record.listOffsets),
  metadata: api('Metadata', 3, [0, 10], { ...topic.metadata, flexibleFrom: 9 }),
  offsetCommit: api('OffsetCommit', 8, [2, 7], group.offsetCommit),
  offsetFetch: api('OffsetFetch', 9, [1, 5], group.offsetFetch),
  findCoordinator: api('FindCoordinator', 10, [0, 2], group.findCoordinator),
  joinGroup: api('JoinGroup', 11, [0, 5], group.joinGroup),
  heartbeat: api('Heartbeat', 12, [0, 3], group.heartbeat),
  leaveGroup: api('LeaveGroup', 13, [0, 3], group.leaveGroup),
  syncGroup: api('SyncGroup', 14, [0, 3], group.syncGroup),
  describeGroups: api('DescribeGroups', 15, [0, 4], group.describeGroups),
  listGroups: api('ListGroups', 16, [0, 2], group.listGroups),
  saslHandshake: api('SaslHandshake', 17, [0, 1], sasl.saslHandshake),
  apiVersions: api('ApiVersions', 18, [0, 2], topic.apiVersions),
  createTopics: api('CreateTopics', 19, [0, 4], topic.createTopics),
  deleteTopics: api('DeleteTopics', 20, [0, 3], topic.deleteTopics),
  deleteRecords: api('DeleteRecords', 21, [0, 1], record.deleteRecords),
  initProducerId: api('InitProducerId', 22, [0, 1], group.initProducerId),
  offsetForLeaderEpoch: api('OffsetForLeaderEpoch', 23, [2, 3], record.offsetForLeaderEpoch),
  addPartitionsToTransaction: api('AddPartitionsToTxn', 24, [0, 2], group.addPartitionsToTransaction),
  addOffsetsToTransaction: api('AddOffsetsToTxn', 25, [0, 2], group.addOffsetsToTransaction),
  endTransaction: api('EndTxn', 26, [0, 2], group.endTransaction),
  transactionOffsetCommit: api('TxnOffsetCommit', 28, [0, 2], group.transactionOffsetCommit),
  describeConfigs: api('DescribeConfigs', 32, [0, 2], topic.describeConfigs),
  alterConfigs: api('AlterConfigs', 33, [0, 1], topic.alterConfigs),
  saslAuthenticate: api('SaslAuthenticate', 36, [0, 1], sasl.saslAuthenticate),
  createPartitions: api('CreatePartitions', 37, [0, 1], topic.createPartitions),
  deleteGroups: api('DeleteGroups', 42, [0, 1], group.deleteGroups),
  incrementalAlterConfigs: api('IncrementalAlterConfigs', 44, [0, 0], topic.incrementalAlterConfigs),
} as const

export const isFlexible = (
  { flexibleFrom }: Pick<Api<unknown, unknown>, 'flexibleFrom'>,
  version: number,
): boolean => flexibleFrom !== undefined && version >= flexibleFrom

type ApiTable = typeof apiTable
export type ApiName = keyof ApiTable
/** The names of the APIs as Apache Kafka writes them. */
export type KafkaApiName = ApiTable[ApiName]['name']
export type RequestOf<Name extends ApiName> = WireValue<ApiTable[Name]['request']>
export type ResponseOf<Name extends ApiName> = WireValue<ApiTable[Name]['response']>
