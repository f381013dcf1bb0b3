/** Sizes between two powers of two: what is taken is at most a quarter larger than asked for. */
const sizesToDouble = 4
const smallestBytes = 256

/** The least of the sizes in use that holds `bytes`. */
const sizeFor = (bytes: number): number => {
  if (bytes <= smallestBytes) return smallestBytes
  const step = 2 ** (31 - Math.clz32(bytes - 1)) / sizesToDouble
  return Math.ceil(bytes / step) * step
}

/**
 * Memory that is used again once it is given back. To V8 fresh arrays are a reason to mark the whole heap, every 64 MiB
 * or so; what comes from here is fresh only at first. It is not cleared.
 */
export class MemoryPool {
  readonly #mostBytes: number
  readonly #dropped: (memory: ArrayBuffer) => void
  readonly #free = new Map<number, ArrayBuffer[]>()
  readonly #lent = new WeakSet<ArrayBuffer>()
  #freeBytes = 0

  /**
   * @param mostBytes kept at most while nobody has them
   * @param dropped told what is not kept; without it that is left to garbage collection
   */
  constructor(mostBytes: number, dropped: (memory: ArrayBuffer) => void = () => {}) {
    this.#mostBytes = mostBytes
    this.#dropped = dropped
  }

  /** Bytes kept while nobody has them. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** Memory of at least `bytes` bytes, a multiple of eight. */
  take(bytes: number): ArrayBuffer {
    const size = sizeFor(bytes)
    const known = this.#free.get(size)?.pop()
    const memory = known ?? new ArrayBuffer(size)
    if (known) this.#freeBytes -= size
    this.#lent.add(memory)
    return memory
  }

  /** Whether memory was taken from here and not given back. */
  hasLent(memory: ArrayBufferLike): boolean {
    return this.#lent.has(memory as ArrayBuffer)
  }

  /** Takes memory back; nobody may look into it any more. What was not taken from here is passed over. */
  give(memory: ArrayBufferLike): void {
    if (this.#lent.delete(memory as ArrayBuffer)) this.#keep(memory as ArrayBuffer)
  }

  /** Takes memory back that was lent, and has crossed threads since: it is another object then. */
  giveMoved(memory: ArrayBuffer): void {
    if (sizeFor(memory.byteLength) === memory.byteLength) this.#keep(memory)
    else this.#dropped(memory)
  }

  #keep(memory: ArrayBuffer): void {
    const { byteLength } = memory
    // None is left of what has been moved to another thread.
    if (byteLength === 0) return
    const known = this.#free.get(byteLength)
    if (this.#freeBytes + byteLength > this.#mostBytes) {
      if (byteLength > this.#mostBytes || known?.length) {
        this.#dropped(memory)
        return
      }
      // Sizes nobody asks for any more make room for those that are in use.
      for (const others of this.#free.values()) others.forEach(this.#dropped)
      this.#free.clear()
      this.#freeBytes = 0
    }
    this.#freeBytes += byteLength
    const kept = this.#free.get(byteLength)
    if (kept) kept.push(memory)
    else this.#free.set(byteLength, [memory])
  }
}
