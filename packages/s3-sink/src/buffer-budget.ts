import { ChangeSignal } from './change-signal.ts'

/** Who holds buffered rows. */
export interface BudgetHolder {
  /** Bytes held for the open group. */
  readonly bufferedBytes: number
  /** Asks for a cut that frees them. */
  cutForMemory(): void
}

/** Bounds the memory that buffered rows take over all partition logs: past the limit the largest group is cut. */
export class BufferBudget {
  readonly #limit: number
  readonly #holders = new Set<BudgetHolder>()
  readonly #changes = new ChangeSignal()
  readonly #onPressure: (full: boolean) => void
  readonly #onChange: (usedBytes: number, full: boolean) => void
  #full = false

  /** @param onChange is told after every change */
  constructor(
    limitBytes: number,
    onPressure: (full: boolean) => void,
    onChange: (usedBytes: number, full: boolean) => void = () => {},
  ) {
    this.#limit = limitBytes
    this.#onPressure = onPressure
    this.#onChange = onChange
  }

  add(holder: BudgetHolder): void {
    this.#holders.add(holder)
  }

  remove(holder: BudgetHolder): void {
    this.#holders.delete(holder)
    this.changed()
  }

  /** To be called when a holder's bytes have changed. */
  changed(): void {
    let sum = 0
    let largest: BudgetHolder | undefined
    for (const holder of this.#holders) {
      sum += holder.bufferedBytes
      if (holder.bufferedBytes > (largest?.bufferedBytes ?? 0)) largest = holder
    }
    const full = sum > this.#limit
    this.#onChange(sum, full)
    if (full) largest?.cutForMemory()
    if (full === this.#full) return
    this.#full = full
    this.#onPressure(full)
    if (!full) this.#changes.wake()
  }

  /** Resolves when all holders together are within the limit; rejects with `signal.reason`. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#full) await this.#changes.wait(signal)
  }
}
