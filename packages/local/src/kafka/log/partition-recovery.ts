import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StockpipeError } from '@stockpipe/core'
import type { Durability } from '../../durability.ts'
import { type EpochStart, LeaderEpochs } from './leader-epochs.ts'
import { ProducerState, type ProducerStateSnapshot } from './producer-state.ts'
import { hasValidChecksum, isCommitMarker } from './record-batch.ts'
import { baseOffsetOfFile, Segment } from './segment.ts'

/** What is saved of a partition beside its segments, so that a start need not read them whole. */
export interface Checkpoint {
  readonly logStartOffset: number
  /** Producers are those of the log before this offset. */
  readonly nextOffset: number
  readonly producers: ProducerStateSnapshot
  /** Absent in data directories of before there were epochs: all records are of epoch 0. */
  readonly leaderEpochs?: readonly EpochStart[]
}

export interface RecoveredLog {
  /** By base offset, at least one; the last takes the appends. */
  readonly segments: Segment[]
  readonly producers: ProducerState
  /** Of the records; the present one has not begun. */
  readonly leaderEpochs: LeaderEpochs
  readonly logStartOffset: number
}

const checkpointFileName = 'checkpoint.json'

/** Writes the checkpoint whole or not at all. */
export const saveCheckpoint = (directory: string, checkpoint: Checkpoint, durability: Durability): void => {
  const path = join(directory, checkpointFileName)
  writeFileSync(`${path}.tmp`, JSON.stringify(checkpoint))
  durability.replace(`${path}.tmp`, path)
}

/**
 * Opens the segments in `directory`, reads what the checkpoint does not cover, and cuts a torn last batch.
 *
 * Throws a StockpipeError (`DATA_DIRECTORY_DAMAGED`) when a batch before the last segment is damaged.
 */
export const recoverPartitionLog = (directory: string, durability: Durability): RecoveredLog => {
  const checkpoint = loadCheckpoint(directory)
  const recovered = recoverFrom(directory, checkpoint, durability)
  const nextOffset = recovered.segments.at(-1)!.nextOffset
  if (checkpoint === undefined || nextOffset >= checkpoint.nextOffset) return recovered
  // The machine lost power and with it the end of the log: the checkpoint speaks of what is gone.
  for (const segment of recovered.segments) segment.close()
  const { logStartOffset } = checkpoint
  const anew = recoverFrom(directory, undefined, durability)
  // What is gone was written in an epoch that must not come again.
  anew.leaderEpochs.begin(checkpoint.leaderEpochs?.at(-1)?.epoch ?? 0, nextOffset)
  return { ...anew, logStartOffset: Math.min(logStartOffset, nextOffset) }
}

const recoverFrom = (
  directory: string,
  checkpoint: Checkpoint | undefined,
  durability: Durability,
): RecoveredLog => {
  const found = readdirSync(directory)
    .map(baseOffsetOfFile)
    .filter((offset) => offset !== undefined)
    .sort((left, right) => left - right)
    .map((baseOffset) => new Segment(directory, baseOffset, durability))
  // A deletion that was cut short may have left earlier files and not later ones.
  const isDeleted = (next: Segment | undefined) =>
    next !== undefined && next.baseOffset <= (checkpoint?.logStartOffset ?? 0)
  const segments = found.filter((_, index) => !isDeleted(found[index + 1]))
  for (const segment of found) if (!segments.includes(segment)) segment.delete()
  if (segments.length === 0) segments.push(new Segment(directory, checkpoint?.nextOffset ?? 0, durability))

  const producers = new ProducerState()
  if (checkpoint !== undefined) producers.restore(checkpoint.producers)
  const leaderEpochs = new LeaderEpochs(checkpoint && (checkpoint.leaderEpochs ?? firstEpoch))
  for (const [index, segment] of segments.entries()) {
    segment.loadIndex(checkpoint?.nextOffset ?? 0)
    const isLast = index === segments.length - 1
    readUncovered(segment, { producers, leaderEpochs }, checkpoint?.nextOffset ?? 0)
    const fileSizeBytes = segment.fileSizeBytes()
    if (fileSizeBytes > segment.sizeBytes) {
      if (!isLast) throw damaged(segment, `holds no valid record batch at byte ${segment.sizeBytes}`)
      segment.cutToAccounted()
    }
    if (!isLast) {
      segment.close()
      const nextBaseOffset = segments[index + 1]!.baseOffset
      if (segment.nextOffset !== nextBaseOffset) {
        throw damaged(
          segment,
          `ends at offset ${segment.nextOffset}, but the next begins at ${nextBaseOffset}`,
        )
      }
    }
  }
  const logStartOffset = Math.max(checkpoint?.logStartOffset ?? 0, segments[0]!.baseOffset)
  return { segments, producers, leaderEpochs, logStartOffset }
}

const firstEpoch: readonly EpochStart[] = [{ epoch: 0, startOffset: 0 }]

/** Accounts for the batches behind the segment's index, as far as each is whole and fits its checksum. */
const readUncovered = (
  segment: Segment,
  { producers, leaderEpochs }: Pick<RecoveredLog, 'producers' | 'leaderEpochs'>,
  coveredOffset: number,
): void => {
  for (const { header, bytes } of segment.batches(segment.sizeBytes, segment.fileSizeBytes())) {
    if (header.baseOffset !== segment.nextOffset || !hasValidChecksum(bytes, header)) return
    segment.account(header)
    leaderEpochs.begin(header.leaderEpoch, header.baseOffset)
    if (header.producerId < 0 || header.baseOffset < coveredOffset) continue
    if (header.isControl) producers.ended(header, isCommitMarker(bytes), header.maxTimestamp)
    else producers.appended(header, Date.now())
  }
}

/** A checkpoint that cannot be read is left aside: everything in it can be read from the log again. */
const loadCheckpoint = (directory: string): Checkpoint | undefined => {
  const path = join(directory, checkpointFileName)
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Checkpoint
  } catch {
    return undefined
  }
}

const damaged = (segment: Segment, what: string): StockpipeError =>
  new StockpipeError({
    code: 'DATA_DIRECTORY_DAMAGED',
    message: `The log segment ${segment.path} ${what}. Restore the file, or remove the data directory to begin anew.`,
    facts: { path: segment.path },
  })
