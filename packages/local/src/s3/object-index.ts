import { alternativeName, fileNamesOfKey, foldName } from './object-file-path.ts'
import { compareUtf8 } from './utf8-order.ts'

/** What is held in memory of one object. */
export interface IndexEntry {
  /** Path beneath the bucket's directory, with `/`. */
  readonly path: string
  /** Known once the object was written or asked for since the start. */
  facts?: { readonly size: number; readonly etag: string; readonly modifiedMillis: number }
}

interface NameNode {
  readonly name: string
  /** Children of a directory by folded name; undefined for a file. */
  readonly children: Map<string, NameNode> | undefined
}

/**
 * The keys of one bucket in UTF-8 order, and the file names in use. Held in memory whole, about 300 bytes
 * a key; a listing of any size costs a binary search and the keys it answers.
 */
export class ObjectIndex {
  readonly #entries = new Map<string, IndexEntry>()
  readonly #names = new Map<string, NameNode>()
  #keys: string[] = []

  get size(): number {
    return this.#keys.length
  }

  get(key: string): IndexEntry | undefined {
    return this.#entries.get(key)
  }

  keyAt(position: number): string | undefined {
    return this.#keys[position]
  }

  /** Takes in what a scan of the disk found. */
  load(found: Iterable<readonly [key: string, path: string]>): void {
    for (const [key, path] of found) {
      this.#entries.set(key, { path })
      this.#addNames(path.split('/'))
    }
    this.#keys = [...this.#entries.keys()].sort(compareUtf8)
  }

  /** The path for a key: where it is already, or the first whose names no other file or directory has. */
  place(key: string): string {
    const existing = this.#entries.get(key)
    if (existing) return existing.path
    const names = fileNamesOfKey(key)
    const path: string[] = []
    let siblings: Map<string, NameNode> | undefined = this.#names
    names.forEach((wanted, depth) => {
      const isFile = depth === names.length - 1
      for (let attempt = 0; ; attempt++) {
        const name = alternativeName(wanted, attempt)
        const taken: NameNode | undefined = siblings?.get(foldName(name))
        if (taken && (isFile || !taken.children || taken.name !== name)) continue
        path.push(name)
        siblings = taken?.children
        return
      }
    })
    return path.join('/')
  }

  set(key: string, entry: IndexEntry): void {
    if (!this.#entries.has(key)) {
      this.#keys.splice(this.lowerBound(key), 0, key)
      this.#addNames(entry.path.split('/'))
    }
    this.#entries.set(key, entry)
  }

  /** Forgets a key; answers the directories, innermost first, that hold nothing any more. */
  delete(key: string): string[] {
    const entry = this.#entries.get(key)
    if (!entry) return []
    this.#entries.delete(key)
    this.#keys.splice(this.lowerBound(key), 1)
    return this.#removeNames(entry.path.split('/'))
  }

  /** Position of the first key that is not before `key`. */
  lowerBound(key: string): number {
    return this.#firstPosition((candidate) => compareUtf8(candidate, key) >= 0)
  }

  /** Position of the first key after `key`. */
  upperBound(key: string): number {
    return this.#firstPosition((candidate) => compareUtf8(candidate, key) > 0)
  }

  /** Position of the first key after all that begin with `prefix`. */
  afterPrefix(prefix: string): number {
    return this.#firstPosition(
      (candidate) => !candidate.startsWith(prefix) && compareUtf8(candidate, prefix) > 0,
    )
  }

  #firstPosition(holds: (key: string) => boolean): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.#keys[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }

  #addNames(names: readonly string[]): void {
    let siblings = this.#names
    names.forEach((name, depth) => {
      const folded = foldName(name)
      let node = siblings.get(folded)
      if (!node) {
        node = { name, children: depth === names.length - 1 ? undefined : new Map() }
        siblings.set(folded, node)
      }
      siblings = node.children ?? siblings
    })
  }

  #removeNames(names: readonly string[]): string[] {
    const chain: Map<string, NameNode>[] = [this.#names]
    for (const name of names.slice(0, -1)) {
      const children = chain.at(-1)!.get(foldName(name))?.children
      if (!children) return []
      chain.push(children)
    }
    const emptied: string[] = []
    for (let depth = names.length - 1; depth >= 0; depth--) {
      chain[depth]!.delete(foldName(names[depth]!))
      if (chain[depth]!.size > 0 || depth === 0) break
      emptied.push(names.slice(0, depth).join('/'))
    }
    return emptied
  }
}
