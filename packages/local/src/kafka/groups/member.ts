export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinResult {
  readonly errorCode: number
  readonly generationId: number
  readonly protocolName: string
  readonly leaderId: string
  readonly memberId: string
  readonly members: { memberId: string; groupInstanceId: string | null; metadata: Buffer }[]
}

export interface SyncResult {
  readonly errorCode: number
  readonly assignment: Buffer
}

export const noBytes = Buffer.alloc(0)

export const failedJoin = (errorCode: number, memberId = ''): JoinResult => {
  return { errorCode, generationId: -1, protocolName: '', leaderId: '', memberId, members: [] }
}

export const failedSync = (errorCode: number): SyncResult => ({ errorCode, assignment: noBytes })

/** One consumer of a group. */
export class Member {
  readonly id: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMillis: number
  rebalanceTimeoutMillis: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer = noBytes
  /** Answers the JoinGroup that waits for the other members. */
  awaitingJoin: ((result: JoinResult) => void) | undefined
  /** Answers the SyncGroup that waits for the leader's assignment. */
  awaitingSync: ((result: SyncResult) => void) | undefined
  sessionTimer: NodeJS.Timeout | undefined

  constructor(
    identity: { id: string; groupInstanceId: string | null; clientId: string; clientHost: string },
    options: {
      sessionTimeoutMillis: number
      rebalanceTimeoutMillis: number
      protocols: readonly MemberProtocol[]
    },
  ) {
    this.id = identity.id
    this.groupInstanceId = identity.groupInstanceId
    this.clientId = identity.clientId
    this.clientHost = identity.clientHost
    this.sessionTimeoutMillis = options.sessionTimeoutMillis
    this.rebalanceTimeoutMillis = options.rebalanceTimeoutMillis
    this.protocols = options.protocols
  }

  answerJoin(result: JoinResult): void {
    this.awaitingJoin?.(result)
    this.awaitingJoin = undefined
  }

  answerSync(result: SyncResult): void {
    this.awaitingSync?.(result)
    this.awaitingSync = undefined
  }

  metadataFor(protocolName: string): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? noBytes
  }

  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const own = this.protocols[index]!
        return own.name === name && own.metadata.equals(metadata)
      })
    )
  }
}
