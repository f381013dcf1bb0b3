import { randomUUID } from 'node:crypto'
import { ErrorCode } from '../protocol/error-code.ts'
import { Group } from './group.ts'
import {
  failedJoin,
  failedSync,
  type JoinResult,
  Member,
  type MemberProtocol,
  type SyncResult,
} from './member.ts'
import type { OffsetStore } from './offset-store.ts'

/** `group.min.session.timeout.ms` and `group.max.session.timeout.ms` of Apache Kafka. */
const minSessionTimeoutMillis = 6_000
const maxSessionTimeoutMillis = 1_800_000

export interface JoinRequest {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMillis: number
  readonly rebalanceTimeoutMillis: number
  readonly protocolType: string
  readonly protocols: readonly MemberProtocol[]
  readonly clientId: string
  readonly clientHost: string
  /** True for JoinGroup v4 and up: a newcomer has to come a second time with the id it is given. */
  readonly requiresMemberId: boolean
}

interface MemberRequest {
  readonly groupId: string
  readonly memberId: string
  readonly groupInstanceId: string | null
}

/** Serves the group APIs; knows every group with members, and with the offset store those without. */
export class GroupCoordinator {
  readonly #groups = new Map<string, Group>()
  readonly #offsets: OffsetStore
  readonly #initialRebalanceDelayMillis: number

  constructor(offsets: OffsetStore, initialRebalanceDelayMillis: number) {
    this.#offsets = offsets
    this.#initialRebalanceDelayMillis = initialRebalanceDelayMillis
    for (const groupId of offsets.groupIds())
      this.#groupFor(groupId).protocolType = offsets.protocolType(groupId)
  }

  group(groupId: string): Group | undefined {
    return this.#groups.get(groupId)
  }

  all(): Group[] {
    return [...this.#groups.values()]
  }

  async join(request: JoinRequest): Promise<JoinResult> {
    const { groupId, memberId, sessionTimeoutMillis } = request
    if (groupId === '') return failedJoin(ErrorCode.INVALID_GROUP_ID, memberId)
    if (sessionTimeoutMillis < minSessionTimeoutMillis || sessionTimeoutMillis > maxSessionTimeoutMillis) {
      return failedJoin(ErrorCode.INVALID_SESSION_TIMEOUT, memberId)
    }
    if (memberId !== '' && !this.#groups.has(groupId)) {
      return failedJoin(ErrorCode.UNKNOWN_MEMBER_ID, memberId)
    }
    const group = this.#groupFor(groupId)
    const isOtherType = group.members.size > 0 && group.protocolType !== request.protocolType
    if (request.protocolType === '' || isOtherType || !group.supportsOneOf(request.protocols)) {
      return failedJoin(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, memberId)
    }
    if (group.protocolType !== request.protocolType) {
      group.protocolType = request.protocolType
      this.#offsets.setProtocolType(groupId, request.protocolType)
    }
    return memberId === '' ? this.#joinAsNewcomer(group, request) : this.#joinAgain(group, request)
  }

  async sync(
    request: MemberRequest & {
      generationId: number
      assignments: readonly { memberId: string; assignment: Buffer }[]
    },
  ): Promise<SyncResult> {
    const group = this.#groups.get(request.groupId)
    const errorCode = this.#check(group, request, request.generationId)
    if (group === undefined || errorCode !== ErrorCode.NONE) return failedSync(errorCode)
    const member = group.members.get(request.memberId)!
    if (group.state === 'PreparingRebalance') return failedSync(ErrorCode.REBALANCE_IN_PROGRESS)
    if (group.state === 'Stable') {
      group.touch(member)
      return { errorCode: ErrorCode.NONE, assignment: member.assignment }
    }
    // The frame the assignments are views of goes; they stay.
    const assignments = request.assignments.map(({ memberId, assignment }) => {
      return [memberId, Buffer.from(assignment)] as const
    })
    return group.sync(member, new Map(assignments))
  }

  heartbeat(request: MemberRequest & { generationId: number }): number {
    const group = this.#groups.get(request.groupId)
    const errorCode = this.#check(group, request, request.generationId)
    if (group === undefined || errorCode !== ErrorCode.NONE) return errorCode
    group.touch(group.members.get(request.memberId)!)
    return group.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  leave(request: MemberRequest): number {
    const group = this.#groups.get(request.groupId)
    if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    if (group.removePending(request.memberId)) return ErrorCode.NONE
    // A static member may be sent away by the name of its instance alone.
    const holder = group.memberOfInstance(request.groupInstanceId)
    const memberId = request.memberId === '' && holder !== undefined ? holder.id : request.memberId
    const errorCode = group.check(memberId, request.groupInstanceId)
    if (errorCode === ErrorCode.NONE) group.remove(group.members.get(memberId)!)
    return errorCode
  }

  /** Whether a group member, or a client outside of any generation, may commit offsets now. */
  checkCommit(request: MemberRequest & { generationId: number }): number {
    if (request.groupId === '') return ErrorCode.INVALID_GROUP_ID
    const group = this.#groups.get(request.groupId)
    if (request.generationId < 0 && request.memberId === '') {
      return group === undefined || group.members.size === 0 ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
    }
    if (group === undefined) return ErrorCode.ILLEGAL_GENERATION
    const errorCode = group.check(request.memberId, request.groupInstanceId, request.generationId)
    if (errorCode !== ErrorCode.NONE) return errorCode
    group.touch(group.members.get(request.memberId)!)
    return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  /** Makes the group known that has committed offsets without members. */
  committed(groupId: string): void {
    this.#groupFor(groupId)
  }

  delete(groupId: string): number {
    const group = this.#groups.get(groupId)
    if (group === undefined) return ErrorCode.GROUP_ID_NOT_FOUND
    if (group.members.size > 0 || group.pendingMembers.size > 0) return ErrorCode.NON_EMPTY_GROUP
    group.close()
    this.#groups.delete(groupId)
    this.#offsets.deleteGroup(groupId)
    return ErrorCode.NONE
  }

  close(): void {
    for (const group of this.#groups.values()) group.close()
  }

  #joinAsNewcomer(group: Group, request: JoinRequest): JoinResult | Promise<JoinResult> {
    const member = this.#memberFrom(request, `${request.groupInstanceId ?? request.clientId}-${randomUUID()}`)
    const holder = group.memberOfInstance(request.groupInstanceId)
    if (holder !== undefined) {
      const isUnchanged = group.state === 'Stable' && holder.hasProtocols(request.protocols)
      group.replace(holder, member)
      if (!isUnchanged) return group.joinAndRebalance(member)
      group.touch(member)
      return group.joinResultFor(member)
    }
    if (request.requiresMemberId && request.groupInstanceId === null) {
      group.addPending(member.id, request.sessionTimeoutMillis)
      return failedJoin(ErrorCode.MEMBER_ID_REQUIRED, member.id)
    }
    return group.joinAndRebalance(member)
  }

  #joinAgain(group: Group, request: JoinRequest): JoinResult | Promise<JoinResult> {
    if (group.pendingMembers.has(request.memberId)) {
      return group.joinAndRebalance(this.#memberFrom(request, request.memberId))
    }
    const errorCode = group.check(request.memberId, request.groupInstanceId)
    if (errorCode !== ErrorCode.NONE) return failedJoin(errorCode, request.memberId)
    const member = group.members.get(request.memberId)!
    const isUnchanged = member.hasProtocols(request.protocols)
    const isSettled =
      isUnchanged &&
      (group.state === 'CompletingRebalance' || (group.state === 'Stable' && member.id !== group.leaderId))
    if (isSettled) {
      group.touch(member)
      return group.joinResultFor(member)
    }
    member.protocols = keptProtocols(request.protocols)
    member.sessionTimeoutMillis = request.sessionTimeoutMillis
    member.rebalanceTimeoutMillis = rebalanceTimeoutOf(request)
    return group.joinAndRebalance(member)
  }

  #memberFrom(request: JoinRequest, id: string): Member {
    return new Member(
      { ...request, id },
      {
        sessionTimeoutMillis: request.sessionTimeoutMillis,
        rebalanceTimeoutMillis: rebalanceTimeoutOf(request),
        protocols: keptProtocols(request.protocols),
      },
    )
  }

  #check(group: Group | undefined, request: MemberRequest, generationId: number): number {
    if (request.groupId === '') return ErrorCode.INVALID_GROUP_ID
    if (group === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
    return group.check(request.memberId, request.groupInstanceId, generationId)
  }

  #groupFor(groupId: string): Group {
    let group = this.#groups.get(groupId)
    if (group === undefined) {
      group = new Group(groupId, this.#initialRebalanceDelayMillis)
      this.#groups.set(groupId, group)
    }
    return group
  }
}

/** JoinGroup v0 has no rebalance time-out of its own. */
const rebalanceTimeoutOf = (request: JoinRequest): number =>
  request.rebalanceTimeoutMillis >= 0 ? request.rebalanceTimeoutMillis : request.sessionTimeoutMillis

/** Copies, as the bytes are views of the request's frame. */
const keptProtocols = (protocols: readonly MemberProtocol[]): MemberProtocol[] =>
  protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
