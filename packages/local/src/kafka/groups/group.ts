import { ErrorCode } from '../protocol/error-code.ts'
import {
  failedJoin,
  failedSync,
  type JoinResult,
  type Member,
  type MemberProtocol,
  noBytes,
  type SyncResult,
} from './member.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** The members of a group and where it stands between two assignments: a state machine that owns its timers. */
export class Group {
  readonly id: string
  state: GroupState = 'Empty'
  generationId = 0
  protocolType = ''
  protocolName = ''
  leaderId = ''
  readonly members = new Map<string, Member>()
  /** Ids that were given out and have not joined yet, with the timer that takes them back. */
  readonly pendingMembers = new Map<string, NodeJS.Timeout>()
  readonly #initialRebalanceDelayMillis: number
  #rebalanceTimer: NodeJS.Timeout | undefined
  #isInitialDelay = false

  constructor(id: string, initialRebalanceDelayMillis: number) {
    this.id = id
    this.#initialRebalanceDelayMillis = initialRebalanceDelayMillis
  }

  /** True when some protocol of the list is known to every member. */
  supportsOneOf(protocols: readonly MemberProtocol[]): boolean {
    return protocols.some(({ name }) =>
      [...this.members.values()].every((member) => member.protocols.some((own) => own.name === name)),
    )
  }

  memberOfInstance(groupInstanceId: string | null): Member | undefined {
    if (groupInstanceId === null) return undefined
    return [...this.members.values()].find((member) => member.groupInstanceId === groupInstanceId)
  }

  /** What is wrong with the sender of a request, or NONE. */
  check(memberId: string, groupInstanceId: string | null, generationId?: number): number {
    const holder = this.memberOfInstance(groupInstanceId)
    if (holder !== undefined && holder.id !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    if (!this.members.has(memberId)) return ErrorCode.UNKNOWN_MEMBER_ID
    if (generationId !== undefined && generationId !== this.generationId) return ErrorCode.ILLEGAL_GENERATION
    return ErrorCode.NONE
  }

  /** Gives out a member id that must be used within the session time-out. */
  addPending(memberId: string, sessionTimeoutMillis: number): void {
    const timer = setTimeout(() => this.removePending(memberId), sessionTimeoutMillis)
    this.pendingMembers.set(memberId, timer.unref())
  }

  removePending(memberId: string): boolean {
    const timer = this.pendingMembers.get(memberId)
    if (timer === undefined) return false
    clearTimeout(timer)
    this.pendingMembers.delete(memberId)
    this.#completeWhenAllJoined()
    return true
  }

  /** Adds a member, or takes what it says anew, and answers when the members have come together. */
  joinAndRebalance(member: Member): Promise<JoinResult> {
    const pendingTimer = this.pendingMembers.get(member.id)
    clearTimeout(pendingTimer)
    this.pendingMembers.delete(member.id)
    const isNew = !this.members.has(member.id)
    this.members.set(member.id, member)
    member.answerJoin(failedJoin(ErrorCode.REBALANCE_IN_PROGRESS, member.id))
    clearTimeout(member.sessionTimer)
    return new Promise((resolve) => {
      member.awaitingJoin = resolve
      if (this.state !== 'PreparingRebalance') this.prepareRebalance()
      else if (isNew && this.#isInitialDelay) this.#startInitialDelay()
      else this.#completeWhenAllJoined()
    })
  }

  /** The current generation as an answer to JoinGroup. */
  joinResultFor(member: Member): JoinResult {
    const isLeader = member.id === this.leaderId
    return {
      errorCode: ErrorCode.NONE,
      generationId: this.generationId,
      protocolName: this.protocolName,
      leaderId: this.leaderId,
      memberId: member.id,
      members: isLeader ? this.#memberList() : [],
    }
  }

  /** Waits for the leader's assignment; the leader brings it. */
  sync(member: Member, assignments: ReadonlyMap<string, Buffer>): Promise<SyncResult> {
    return new Promise((resolve) => {
      member.awaitingSync = resolve
      this.touch(member)
      if (member.id !== this.leaderId) return
      this.state = 'Stable'
      clearTimeout(this.#rebalanceTimer)
      for (const other of this.members.values()) {
        other.assignment = assignments.get(other.id) ?? noBytes
        other.answerSync({ errorCode: ErrorCode.NONE, assignment: other.assignment })
      }
    })
  }

  /** A sign of life: the session time-out begins anew. */
  touch(member: Member): void {
    clearTimeout(member.sessionTimer)
    member.sessionTimer = setTimeout(() => {
      // Who waits for an answer of the broker is alive.
      if (member.awaitingJoin === undefined && member.awaitingSync === undefined) this.remove(member)
    }, member.sessionTimeoutMillis).unref()
  }

  /** Takes a member out; the others share its partitions. */
  remove(member: Member): void {
    clearTimeout(member.sessionTimer)
    if (this.members.get(member.id) !== member) return
    this.members.delete(member.id)
    member.answerJoin(failedJoin(ErrorCode.UNKNOWN_MEMBER_ID))
    member.answerSync(failedSync(ErrorCode.UNKNOWN_MEMBER_ID))
    if (this.state === 'PreparingRebalance') this.#completeWhenAllJoined()
    else this.prepareRebalance()
  }

  /** Gives the place of a static member to the same instance that came back; the old id is fenced. */
  replace(holder: Member, successor: Member): void {
    clearTimeout(holder.sessionTimer)
    this.members.delete(holder.id)
    holder.answerJoin(failedJoin(ErrorCode.FENCED_INSTANCE_ID))
    holder.answerSync(failedSync(ErrorCode.FENCED_INSTANCE_ID))
    successor.assignment = holder.assignment
    this.members.set(successor.id, successor)
    if (this.leaderId === holder.id) this.leaderId = successor.id
  }

  /** Asks every member to join again. */
  prepareRebalance(): void {
    const wasEmpty = this.state === 'Empty'
    this.state = 'PreparingRebalance'
    for (const member of this.members.values()) {
      member.assignment = noBytes
      member.answerSync(failedSync(ErrorCode.REBALANCE_IN_PROGRESS))
    }
    if (wasEmpty && this.#initialRebalanceDelayMillis > 0) {
      this.#startInitialDelay()
      return
    }
    this.#startRebalanceTimer(() => this.#completeJoin())
    this.#completeWhenAllJoined()
  }

  close(): void {
    this.state = 'Dead'
    clearTimeout(this.#rebalanceTimer)
    for (const timer of this.pendingMembers.values()) clearTimeout(timer)
    for (const member of this.members.values()) {
      clearTimeout(member.sessionTimer)
      member.answerJoin(failedJoin(ErrorCode.UNKNOWN_MEMBER_ID))
      member.answerSync(failedSync(ErrorCode.UNKNOWN_MEMBER_ID))
    }
    this.members.clear()
  }

  /** `group.initial.rebalance.delay.ms`: each newcomer prolongs the wait for further ones. */
  #startInitialDelay(): void {
    this.#isInitialDelay = true
    clearTimeout(this.#rebalanceTimer)
    this.#rebalanceTimer = setTimeout(() => {
      this.#isInitialDelay = false
      this.#completeJoin()
    }, this.#initialRebalanceDelayMillis).unref()
  }

  #startRebalanceTimer(onTimeout: () => void): void {
    clearTimeout(this.#rebalanceTimer)
    const timeouts = [...this.members.values()].map((member) => member.rebalanceTimeoutMillis)
    this.#rebalanceTimer = setTimeout(onTimeout, Math.max(0, ...timeouts)).unref()
  }

  #completeWhenAllJoined(): void {
    if (this.state !== 'PreparingRebalance' || this.#isInitialDelay || this.pendingMembers.size > 0) return
    for (const member of this.members.values()) if (member.awaitingJoin === undefined) return
    this.#completeJoin()
  }

  /** Begins a new generation with the members that have joined; the others are out. */
  #completeJoin(): void {
    clearTimeout(this.#rebalanceTimer)
    for (const member of this.members.values()) {
      const mayStay = member.awaitingJoin !== undefined || member.groupInstanceId !== null
      if (mayStay) continue
      clearTimeout(member.sessionTimer)
      this.members.delete(member.id)
    }
    this.generationId++
    const joined = [...this.members.values()].filter((member) => member.awaitingJoin !== undefined)
    if (joined.length === 0) {
      if (this.members.size > 0) this.#startRebalanceTimer(() => this.#completeJoin())
      else this.#becomeEmpty()
      return
    }
    this.state = 'CompletingRebalance'
    this.protocolName = this.#selectProtocol()
    if (!joined.some((member) => member.id === this.leaderId)) this.leaderId = joined[0]!.id
    for (const member of joined) {
      this.touch(member)
      member.answerJoin(this.joinResultFor(member))
    }
    this.#startRebalanceTimer(() => this.#dropUnsynced())
  }

  #becomeEmpty(): void {
    this.state = 'Empty'
    this.leaderId = ''
    this.protocolName = ''
  }

  /** Who joined but did not ask for its assignment within the rebalance time-out is out. */
  #dropUnsynced(): void {
    const unsynced = [...this.members.values()].filter((member) => member.awaitingSync === undefined)
    for (const member of unsynced) this.remove(member)
  }

  /** The protocol most members would take first, of those every member knows. */
  #selectProtocol(): string {
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const choice = member.protocols.find((protocol) => this.supportsOneOf([protocol]))
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    return [...votes].sort((left, right) => right[1] - left[1])[0]?.[0] ?? ''
  }

  #memberList(): JoinResult['members'] {
    return [...this.members.values()].map((member) => ({
      memberId: member.id,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadataFor(this.protocolName),
    }))
  }
}
