import { type Runtime, StockpipeError, sleep } from '@stockpipe/core'

/** Where the logs of a topic's partitions end. */
export interface WrittenEnds {
  /** With what not every in-sync replica has yet. */
  readonly written: readonly bigint[]
  /** As readers of committed records see it. */
  readonly readable: readonly bigint[]
}

/** A predecessor's last request may still be on its way when it was killed a moment ago. */
const steadyMillis = 300

/**
 * The ends of the logs once they have stood still for a moment and nothing is written beyond what can be read: what a
 * predecessor's leader has appended and still waits with for its replicas will be there, or will be gone.
 *
 * Throws a `StockpipeError` `TOPIC_NOT_STEADY` when that has not come after `timeoutMillis`.
 */
export const steadyEnds = async (
  topic: string,
  ask: () => Promise<WrittenEnds>,
  {
    runtime,
    timeoutMillis,
    signal,
  }: {
    readonly runtime: Runtime
    readonly timeoutMillis: number
    readonly signal: AbortSignal | undefined
  },
): Promise<readonly bigint[]> => {
  const deadline = runtime.monotonic() + timeoutMillis
  let ends = await ask()
  while (ends.written.some((end) => end > 0n)) {
    await sleep(runtime, steadyMillis, signal)
    const later = await ask()
    const moving = later.readable.findIndex(
      (end, partition) => end !== later.written[partition] || end !== ends.readable[partition],
    )
    if (moving < 0) return later.readable
    if (runtime.monotonic() >= deadline) throw notSteady(topic, moving, later, timeoutMillis)
    ends = later
  }
  return ends.readable
}

const notSteady = (
  topic: string,
  partition: number,
  { written, readable }: WrittenEnds,
  timeoutMillis: number,
): StockpipeError => {
  const facts = { topic, partition, written: written[partition], readable: readable[partition] }
  return new StockpipeError({
    code: 'TOPIC_NOT_STEADY',
    message:
      `Partition ${partition} of topic ${topic} did not stand still for ${timeoutMillis} ms: it is written up to offset ` +
      `${facts.written} and can be read up to ${facts.readable}. Replicas are behind, a transaction is open, or somebody else ` +
      'writes to the topic.',
    retryable: true,
    facts,
  })
}
