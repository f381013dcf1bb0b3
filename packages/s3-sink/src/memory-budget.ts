import { byteSize } from './byte-size.ts'
import { ChangeSignal } from './change-signal.ts'
import type { EncoderMemory } from './engine-host.ts'

/** Past this share of the limit groups are cut and writes wait. What lies above it is for parts in flight. */
const highShare = 0.7
/** Down to this share groups are cut, and then writes go on. */
const lowShare = 0.5

/** What a memory budget is charged with, in bytes. */
export interface MemorySnapshot {
  readonly limitBytes: number
  /** Blocks on their way into worker threads. */
  readonly takingBytes: number
  /** Rows of open groups: columns, dictionaries, encoded row groups that do not make a part yet. */
  readonly bufferedBytes: number
  /** What encoders hold outside the JavaScript heap, once a thread whatever its sinks; it never shrinks. */
  readonly encodingBytes: number
  /** Parts of files, from their making to S3's answer. */
  readonly uploadingBytes: number
  readonly usedBytes: number
  /** `usedBytes / limitBytes`. */
  readonly pressure: number
  /** Writes wait, and the largest groups are cut. */
  readonly full: boolean
}

/** Who holds rows. */
export interface MemoryHolder {
  /** Bytes held for the open group. */
  readonly bufferedBytes: number
  /** A cut that frees them is due or under way. */
  readonly isBeingCut: boolean
  /** Asks for a cut that frees them. */
  cutForMemory(): void
}

/** A sink that shares a budget. */
export interface MemoryMember {
  readonly encoders: () => readonly EncoderMemory[]
  /** Bytes of blocks that its engine was given and has not taken yet. */
  readonly takingBytes: () => number
  readonly onPressure: (full: boolean) => void
  readonly onChange: (snapshot: MemorySnapshot) => void
}

/** Bounds the memory of the sinks that share it. Made by `createMemoryBudget`. */
export class MemoryBudget {
  readonly #limit: number
  readonly #members = new Set<MemoryMember>()
  readonly #holders = new Set<MemoryHolder>()
  readonly #changes = new ChangeSignal()
  #uploading = 0
  #full = false

  /** @internal */
  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  snapshot(): MemorySnapshot {
    let bufferedBytes = 0
    for (const holder of this.#holders) bufferedBytes += holder.bufferedBytes
    let takingBytes = 0
    const encoders = new Map<object, number>()
    for (const member of this.#members) {
      takingBytes += member.takingBytes()
      for (const { thread, encoderBytes } of member.encoders())
        encoders.set(thread, Math.max(encoders.get(thread) ?? 0, encoderBytes))
    }
    let encodingBytes = 0
    for (const bytes of encoders.values()) encodingBytes += bytes
    const uploadingBytes = this.#uploading
    const usedBytes = takingBytes + bufferedBytes + encodingBytes + uploadingBytes
    const [limitBytes, full] = [this.#limit, this.#full]
    const pressure = usedBytes / limitBytes
    return {
      limitBytes,
      takingBytes,
      bufferedBytes,
      encodingBytes,
      uploadingBytes,
      usedBytes,
      pressure,
      full,
    }
  }

  /** @internal A sink takes part until the function answered is called. */
  join(member: MemoryMember): () => void {
    this.#members.add(member)
    return () => void this.#members.delete(member)
  }

  /** @internal */
  add(holder: MemoryHolder): void {
    this.#holders.add(holder)
  }

  /** @internal */
  remove(holder: MemoryHolder): void {
    this.#holders.delete(holder)
    this.changed()
  }

  /** @internal To be called when a holder's bytes have changed. */
  changed(): void {
    const { usedBytes, bufferedBytes } = this.snapshot()
    // The encoder's memory alone is nothing to wait for.
    const idle = bufferedBytes + this.#uploading === 0
    const full = !idle && usedBytes > this.#limit * (this.#full ? lowShare : highShare)
    const turned = full !== this.#full
    this.#full = full
    if (full) this.#cutLargest(usedBytes - this.#limit * lowShare)
    const snapshot = this.snapshot()
    for (const { onChange } of this.#members) onChange(snapshot)
    if (turned) for (const { onPressure } of this.#members) onPressure(full)
    this.#changes.wake()
  }

  /** @internal Whether writes have to wait. */
  get isFull(): boolean {
    return this.#full
  }

  /** @internal Resolves when there is room for rows; rejects with `signal.reason`. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#full) await this.#changes.wait(signal)
  }

  /**
   * @internal Charges a part, as soon as it fits above the high-water mark beside the others or is the only one.
   * Answers what takes the charge back; rejects with `signal.reason`.
   *
   * @param charged called before anyone is told, to take a charge for the same bytes back
   */
  async chargeUpload(bytes: number, signal: AbortSignal, charged?: () => void): Promise<() => void> {
    const most = this.#limit * (1 - highShare)
    while (this.#uploading > 0 && this.#uploading + bytes > most) await this.#changes.wait(signal)
    this.#uploading += bytes
    charged?.()
    this.changed()
    return () => {
      this.#uploading -= bytes
      this.changed()
    }
  }

  /** Asks for cuts, the largest group first, until what is on its way out comes to `bytes`. */
  #cutLargest(bytes: number): void {
    let leaving = 0
    const staying: MemoryHolder[] = []
    for (const holder of this.#holders) {
      if (holder.isBeingCut) leaving += holder.bufferedBytes
      else if (holder.bufferedBytes > 0) staying.push(holder)
    }
    staying.sort((left, right) => right.bufferedBytes - left.bufferedBytes)
    for (const holder of staying) {
      if (leaving >= bytes) return
      leaving += holder.bufferedBytes
      holder.cutForMemory()
    }
  }
}

/**
 * A memory budget for several sinks of a process: `createSink({ memory: budget })`. What they buffer, encode and send
 * is charged to it; past 70 % the largest group of all is cut first and writes wait, until 50 % is reached.
 *
 * @param limit bytes, or text such as `256MiB`
 * Throws a `ConfigurationError` when it is neither.
 */
export const createMemoryBudget = (limit: string | number): MemoryBudget =>
  new MemoryBudget(byteSize(limit, 'A memory budget'))
