import { StockpipeError } from '@stockpipe/core'

/**
 * What a partition log is doing.
 *
 * | state | meaning |
 * |---|---|
 * | opening | reading the chain, settling what a predecessor left (steps 1 and 2) |
 * | reading | blocks go to the open flush group, parts that are whole are sent (step 3) |
 * | staging | the rest of the open group is encoded and sent; blocks wait |
 * | claiming | the group is staged; its claim is under way (4, 5); blocks go to the next group |
 * | publishing | claimed; uploads are completed, partitions registered (6, 7); blocks go to the next group |
 * | fenced | another owner claimed the start: the groups not claimed are given up |
 * | failed | it cannot go on; what was claimed before is finished, the rest is given up |
 * | revoked | taken away or closed |
 */
export type PartitionLogState =
  | 'opening'
  | 'reading'
  | 'staging'
  | 'claiming'
  | 'publishing'
  | 'fenced'
  | 'failed'
  | 'revoked'

/** `fence`: met by a claim, or by parts of the open group; `cut`: a cut begins; `fail` and `fence` and `revoke` end a log; the others are steps that ended well. */
export type PartitionLogEvent =
  | 'opened'
  | 'block'
  | 'cut'
  | 'staged'
  | 'claimed'
  | 'registered'
  | 'fence'
  | 'fail'
  | 'revoke'

/** `wait`: not now, ask again when the state has changed. `refuse`: never in this state. */
export type Transition = PartitionLogState | 'wait' | 'refuse'

/** A cut under way in one of them is of an earlier group and goes on to its end; it moves nothing. */
const over = (state: 'fenced' | 'failed' | 'revoked'): Record<PartitionLogEvent, Transition> => ({
  opened: state,
  block: 'refuse',
  cut: 'refuse',
  staged: state,
  claimed: state,
  registered: state,
  fence: state,
  fail: state,
  revoke: 'revoked',
})

const ending = { fail: 'failed', revoke: 'revoked' } as const

const transitions: Record<PartitionLogState, Record<PartitionLogEvent, Transition>> = {
  opening: {
    opened: 'reading',
    block: 'refuse',
    cut: 'refuse',
    staged: 'refuse',
    claimed: 'refuse',
    registered: 'refuse',
    fence: 'refuse',
    ...ending,
  },
  reading: {
    opened: 'refuse',
    block: 'reading',
    cut: 'staging',
    staged: 'refuse',
    claimed: 'refuse',
    registered: 'refuse',
    fence: 'fenced',
    ...ending,
  },
  staging: {
    opened: 'refuse',
    block: 'wait',
    cut: 'wait',
    staged: 'claiming',
    claimed: 'refuse',
    registered: 'refuse',
    fence: 'fenced',
    ...ending,
  },
  claiming: {
    opened: 'refuse',
    block: 'claiming',
    cut: 'wait',
    staged: 'refuse',
    claimed: 'publishing',
    registered: 'refuse',
    fence: 'fenced',
    ...ending,
  },
  publishing: {
    opened: 'refuse',
    block: 'publishing',
    cut: 'wait',
    staged: 'refuse',
    claimed: 'refuse',
    registered: 'reading',
    fence: 'fenced',
    ...ending,
  },
  fenced: over('fenced'),
  failed: over('failed'),
  revoked: over('revoked'),
}

export const partitionLogTransition = (state: PartitionLogState, event: PartitionLogEvent): Transition =>
  transitions[state][event]

/** The state after an event. Throws where the table has none: a fault of the sink. */
export const partitionLogStateAfter = (
  state: PartitionLogState,
  event: PartitionLogEvent,
): PartitionLogState => {
  const after = transitions[state][event]
  if (after !== 'wait' && after !== 'refuse') return after
  throw new StockpipeError({
    code: 'PARTITION_LOG_STATE',
    message: `A partition log in state ${state} met ${event}: a fault of the sink.`,
    facts: { state, event },
  })
}
