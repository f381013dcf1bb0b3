import type * as Fs from 'node:fs'
import type * as FsPromises from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'

// Not imported: the tests put this module in the place of `node:fs`.
const fs = createRequire(import.meta.url)('node:fs') as typeof Fs

/** What a torn write is torn into; far below a real page, so that small files tear too. */
const pageBytes = 64

export class PowerIsOff extends Error {
  constructor() {
    super('the power is off')
  }
}

interface FileNode {
  readonly kind: 'file'
  /** Another name of the same file, which stays when the first one goes. */
  readonly vaultPath: string
  /** What an fsync has put on the disk. */
  synced: Buffer
  syncedMtime: bigint | undefined
  /** The snapshot that `synced` is from. */
  syncedSnapshot: number
}

type NameChange = { readonly name: string; readonly node: Node | undefined }

interface DirectoryNode {
  readonly kind: 'directory'
  readonly names: Map<string, Node>
  /** What an fsync has put on the disk. */
  synced: Map<string, Node>
  /** What has changed since then; each comes to the disk whole or not, in any order. */
  pending: (readonly NameChange[])[]
  /** How many came before those that are pending. */
  settledChanges: number
}

type Node = FileNode | DirectoryNode

/** What a node held when an fsync began. */
type Snapshot =
  | { readonly names: Map<string, Node>; readonly changes: number }
  | { readonly content: Buffer; readonly mtime: bigint; readonly number: number }

export interface DiskEvent {
  readonly kind: 'write' | 'fsync' | 'rename' | 'remove' | 'make'
  readonly path: string
}

/**
 * A directory as a machine sees it that may lose power: what is written can be read at once, but only what was synced is
 * sure to be there afterwards. Of the rest any part may have come to the disk: pages of a file, names in a directory.
 */
export class VolatileDisk {
  readonly events: DiskEvent[] = []
  #root: string
  readonly #base: string
  #tree: DirectoryNode = emptyDirectory()
  readonly #descriptors = new Map<number, Node>()
  #files = 0
  #snapshots = 0
  #lives = 0
  #stepsLeft = Number.POSITIVE_INFINITY
  #isOff = false
  /** Resolves when the power is off; told once. */
  readonly off: Promise<void>
  #tellOff: () => void = () => undefined

  constructor(base: string) {
    this.#base = base
    this.off = new Promise((resolve) => {
      this.#tellOff = resolve
    })
    this.#root = path.join(base, 'life-0')
    fs.mkdirSync(this.#root)
    fs.mkdirSync(path.join(base, 'vault'))
  }

  get root(): string {
    return this.#root
  }

  get isOff(): boolean {
    return this.#isOff
  }

  holds(given: unknown): given is string {
    return typeof given === 'string' && (given === this.#root || given.startsWith(this.#root + path.sep))
  }

  /** Lets the power fail at the `steps`-th operation from now on. */
  failAfter(steps: number): void {
    this.#stepsLeft = steps
  }

  switchOff(): void {
    this.#isOff = true
    this.#tellOff()
  }

  /** After `kill -9`: everything written is there, and no more of it is synced than before. */
  restartProcess(): void {
    this.#closeAll()
    this.#isOff = false
    this.#stepsLeft = Number.POSITIVE_INFINITY
  }

  /** After a power loss: what was synced is there, and what `chance` (from 0 to 1) leaves of the rest. */
  restartMachine(chance: () => number): void {
    this.#closeAll()
    const survived = path.join(this.#base, `life-${++this.#lives}`)
    const linked = new Set<FileNode>()
    this.#survive(this.#tree, survived, chance, linked)
    this.#root = survived
    this.#tree = this.#load(survived)
    this.restartProcess()
  }

  /** Gives back what is open. */
  unplug(): void {
    this.switchOff()
    this.#closeAll()
  }

  // What `watchFs` and `watchFsPromises` ask for.

  step(): void {
    if (!this.#isOff && --this.#stepsLeft <= 0) this.switchOff()
    if (this.#isOff) throw new PowerIsOff()
  }

  open(filePath: string, flags: string): number {
    this.step()
    const isNew = !fs.existsSync(filePath)
    const descriptor = fs.openSync(filePath, flags)
    if (isNew) this.#created(filePath)
    this.#descriptors.set(descriptor, this.#node(filePath)!)
    return descriptor
  }

  close(descriptor: number): void {
    if (!this.#descriptors.delete(descriptor)) return
    fs.closeSync(descriptor)
  }

  knows(descriptor: unknown): descriptor is number {
    return typeof descriptor === 'number' && this.#descriptors.has(descriptor)
  }

  wrote(filePath: string): void {
    if (this.#node(filePath) === undefined) this.#created(filePath)
    this.events.push({ kind: 'write', path: path.relative(this.#root, filePath) })
  }

  wroteTo(descriptor: number): void {
    this.events.push({ kind: 'write', path: this.#pathOf(this.#descriptors.get(descriptor)!) })
  }

  fsyncSync(descriptor: number): void {
    this.step()
    const node = this.#descriptors.get(descriptor)!
    this.#synced(node, this.#snapshot(node))
  }

  async fsync(descriptor: number): Promise<void> {
    this.step()
    const node = this.#descriptors.get(descriptor)!
    const snapshot = this.#snapshot(node)
    await nextTurn()
    this.step()
    this.#synced(node, snapshot)
  }

  mkdir(directory: string, recursive: boolean): string | undefined {
    this.step()
    const above = path.dirname(directory)
    if (fs.existsSync(directory)) {
      if (!recursive) fs.mkdirSync(directory)
      return undefined
    }
    const first = recursive && !fs.existsSync(above) ? this.mkdir(above, true) : undefined
    fs.mkdirSync(directory)
    this.#change(directory, emptyDirectory())
    this.events.push({ kind: 'make', path: path.relative(this.#root, directory) })
    return first ?? directory
  }

  rename(from: string, to: string): void {
    this.step()
    fs.renameSync(from, to)
    const node = this.#node(from)!
    const [source, target] = [this.#directory(from), this.#directory(to)]
    source.names.delete(path.basename(from))
    target.names.set(path.basename(to), node)
    const gone = { name: path.basename(from), node: undefined }
    const come = { name: path.basename(to), node }
    if (source === target) source.pending.push([gone, come])
    else {
      source.pending.push([gone])
      target.pending.push([come])
    }
    this.events.push({ kind: 'rename', path: path.relative(this.#root, to) })
  }

  remove(removed: string): void {
    this.step()
    if (fs.statSync(removed).isDirectory()) fs.rmdirSync(removed)
    else fs.unlinkSync(removed)
    this.#change(removed, undefined)
    this.events.push({ kind: 'remove', path: path.relative(this.#root, removed) })
  }

  removeTree(removed: string): void {
    if (fs.statSync(removed).isDirectory()) {
      for (const name of fs.readdirSync(removed)) this.removeTree(path.join(removed, name))
    }
    this.remove(removed)
  }

  #closeAll(): void {
    for (const descriptor of [...this.#descriptors.keys()]) this.close(descriptor)
  }

  #created(filePath: string): void {
    const vaultPath = path.join(this.#base, 'vault', String(this.#files++))
    fs.linkSync(filePath, vaultPath)
    this.#change(filePath, {
      kind: 'file',
      vaultPath,
      synced: Buffer.alloc(0),
      syncedMtime: undefined,
      syncedSnapshot: -1,
    })
  }

  #change(changed: string, node: Node | undefined): void {
    const directory = this.#directory(changed)
    const name = path.basename(changed)
    if (node === undefined) directory.names.delete(name)
    else directory.names.set(name, node)
    directory.pending.push([{ name, node }])
  }

  #directory(child: string): DirectoryNode {
    return this.#node(path.dirname(child)) as DirectoryNode
  }

  #node(given: string): Node | undefined {
    let node: Node | undefined = this.#tree
    const relative = path.relative(this.#root, given)
    for (const name of relative === '' ? [] : relative.split(path.sep)) {
      node = node?.kind === 'directory' ? node.names.get(name) : undefined
    }
    return node
  }

  #pathOf(wanted: Node, from: DirectoryNode = this.#tree, at = ''): string {
    if (wanted === from) return at === '' ? '.' : at
    for (const [name, node] of from.names) {
      const found =
        node === wanted
          ? path.join(at, name)
          : node.kind === 'directory'
            ? this.#pathOf(wanted, node, path.join(at, name))
            : ''
      if (found !== '') return found
    }
    return ''
  }

  #snapshot(node: Node): Snapshot {
    if (node.kind === 'directory') {
      return { names: new Map(node.names), changes: node.settledChanges + node.pending.length }
    }
    return {
      content: fs.readFileSync(node.vaultPath),
      mtime: fs.statSync(node.vaultPath, { bigint: true }).mtimeNs,
      number: this.#snapshots++,
    }
  }

  #synced(node: Node, snapshot: Snapshot): void {
    // An fsync that began earlier may end later; it takes nothing back.
    if (node.kind === 'directory' && 'names' in snapshot) {
      if (snapshot.changes <= node.settledChanges) return
      node.synced = snapshot.names
      node.pending.splice(0, snapshot.changes - node.settledChanges)
      node.settledChanges = snapshot.changes
    } else if (node.kind === 'file' && 'content' in snapshot) {
      if (snapshot.number < node.syncedSnapshot) return
      node.syncedSnapshot = snapshot.number
      node.synced = snapshot.content
      node.syncedMtime = snapshot.mtime
    }
    this.events.push({ kind: 'fsync', path: this.#pathOf(node) })
  }

  #survive(node: Node, target: string, chance: () => number, linked: Set<FileNode>): void {
    if (node.kind === 'file') {
      this.#surviveFile(node, target, chance, linked)
      return
    }
    const names = new Map(node.synced)
    for (const changes of node.pending) {
      if (chance() < 0.5) continue
      for (const change of changes) {
        if (change.node === undefined) names.delete(change.name)
        else names.set(change.name, change.node)
      }
    }
    fs.mkdirSync(target)
    for (const [name, below] of names) this.#survive(below, path.join(target, name), chance, linked)
  }

  #surviveFile(node: FileNode, target: string, chance: () => number, linked: Set<FileNode>): void {
    const written = fs.readFileSync(node.vaultPath)
    const { mtimeNs } = fs.statSync(node.vaultPath, { bigint: true })
    const isSynced = node.syncedMtime === mtimeNs && written.equals(node.synced)
    const fate = isSynced ? 1 : chance()
    if (fate >= 0.6 && !linked.has(node)) {
      // The same file, so that its modification time stays to the nanosecond.
      linked.add(node)
      fs.linkSync(node.vaultPath, target)
    } else if (fate >= 0.6) fs.writeFileSync(target, written)
    else if (fate < 0.2) fs.writeFileSync(target, node.synced)
    else fs.writeFileSync(target, torn(node.synced, written, chance))
  }

  #load(directory: string): DirectoryNode {
    const names = new Map<string, Node>()
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      const full = path.join(directory, entry.name)
      names.set(entry.name, entry.isDirectory() ? this.#load(full) : this.#loadFile(full))
    }
    return { kind: 'directory', names, synced: new Map(names), pending: [], settledChanges: 0 }
  }

  #loadFile(filePath: string): FileNode {
    const vaultPath = path.join(this.#base, 'vault', String(this.#files++))
    fs.linkSync(filePath, vaultPath)
    const { mtimeNs } = fs.statSync(filePath, { bigint: true })
    return {
      kind: 'file',
      vaultPath,
      synced: fs.readFileSync(filePath),
      syncedMtime: mtimeNs,
      syncedSnapshot: -1,
    }
  }
}

const emptyDirectory = (): DirectoryNode => ({
  kind: 'directory',
  names: new Map(),
  synced: new Map(),
  pending: [],
  settledChanges: 0,
})

/** Some pages as they were written, the others as they were synced, or zeros where none was; a length between both. */
const torn = (synced: Buffer, written: Buffer, chance: () => number): Buffer => {
  const [least, most] = [synced.length, written.length].sort((left, right) => left - right) as [
    number,
    number,
  ]
  const length = chance() < 0.5 ? most : least + Math.floor(chance() * (most - least + 1))
  const content = Buffer.alloc(length)
  for (let start = 0; start < length; start += pageBytes) {
    const from = chance() < 0.5 ? written : synced
    from.subarray(start, start + pageBytes).copy(content, start)
  }
  return content
}

let current: VolatileDisk | undefined

/** Makes the disk the one that stands behind `node:fs`. */
export const mountDisk = (disk: VolatileDisk | undefined): void => {
  current = disk
}

const bytesOf = (data: unknown): Buffer =>
  typeof data === 'string'
    ? Buffer.from(data)
    : Buffer.from(
        (data as Uint8Array).buffer,
        (data as Uint8Array).byteOffset,
        (data as Uint8Array).byteLength,
      )

type AnyFunction = (...parameters: never[]) => unknown

const readOnly = new Set([
  'existsSync',
  'readdirSync',
  'readFileSync',
  'statSync',
  'readdir',
  'readFile',
  'stat',
])

/** Refuses what the model does not know, so that no change escapes it. */
const guarded = (module: object, modelled: object): Record<string, unknown> => {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(module)) {
    if (typeof value !== 'function' || /^[A-Z]/.test(name)) {
      result[name] = value
      continue
    }
    const given = (modelled as Record<string, AnyFunction | undefined>)[name]
    result[name] = (...parameters: unknown[]) => {
      const [first] = parameters
      const disk = current
      if (disk === undefined || !(disk.holds(first) || disk.knows(first))) {
        return (value as (...all: unknown[]) => unknown)(...parameters)
      }
      if (given !== undefined) return (given as (...all: unknown[]) => unknown)(...parameters)
      if (!readOnly.has(name)) throw new Error(`the volatile disk does not know fs.${name}`)
      if (disk.isOff) throw new PowerIsOff()
      return (value as (...all: unknown[]) => unknown)(...parameters)
    }
  }
  return { ...result, default: result }
}

const disk = (): VolatileDisk => current!

const modelled = {
  openSync: (filePath: string, flags = 'r') => disk().open(filePath, flags),
  closeSync: (descriptor: number) => disk().close(descriptor),
  fsyncSync: (descriptor: number) => disk().fsyncSync(descriptor),
  fstatSync: (descriptor: number) => {
    if (disk().isOff) throw new PowerIsOff()
    return fs.fstatSync(descriptor)
  },
  readSync: (descriptor: number, buffer: Buffer, offset: number, length: number, position: number) => {
    if (disk().isOff) throw new PowerIsOff()
    return fs.readSync(descriptor, buffer, offset, length, position)
  },
  writeSync(descriptor: number, data: Buffer, offset = 0, length = data.length, position?: number) {
    disk().step()
    const written = fs.writeSync(descriptor, data, offset, length, position)
    disk().wroteTo(descriptor)
    return written
  },
  ftruncateSync(descriptor: number, length: number) {
    disk().step()
    fs.ftruncateSync(descriptor, length)
    disk().wroteTo(descriptor)
  },
  truncateSync(filePath: string, length: number) {
    disk().step()
    fs.truncateSync(filePath, length)
    disk().wrote(filePath)
  },
  appendFileSync(filePath: string, data: unknown) {
    disk().step()
    fs.appendFileSync(filePath, bytesOf(data))
    disk().wrote(filePath)
  },
  writeFileSync(filePath: string, data: unknown) {
    disk().step()
    fs.writeFileSync(filePath, bytesOf(data))
    disk().wrote(filePath)
  },
  mkdirSync: (directory: string, options?: { recursive?: boolean }) =>
    disk().mkdir(directory, options?.recursive === true),
  renameSync: (from: string, to: string) => disk().rename(from, to),
  unlinkSync: (filePath: string) => disk().remove(filePath),
  rmdirSync: (directory: string) => disk().remove(directory),
  rmSync(removed: string, options: { force?: boolean } = {}) {
    if (options.force === true && !fs.existsSync(removed)) return
    disk().removeTree(removed)
  },
  createReadStream(filePath: string) {
    if (disk().isOff) throw new PowerIsOff()
    return Readable.from([fs.readFileSync(filePath)])
  },
}

/** One file as `fs.promises.open` gives it. */
class Handle {
  readonly #descriptor: number
  readonly #disk = disk()

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  async write(data: Buffer, offset = 0): Promise<{ bytesWritten: number }> {
    return { bytesWritten: modelled.writeSync(this.#descriptor, data, offset, data.length - offset) }
  }

  async writeFile(data: unknown): Promise<void> {
    modelled.writeSync(this.#descriptor, bytesOf(data))
  }

  async stat() {
    return modelled.fstatSync(this.#descriptor)
  }

  sync(): Promise<void> {
    return this.#disk.fsync(this.#descriptor)
  }

  async readFile(): Promise<Buffer> {
    return fs.readFileSync(this.#descriptor)
  }

  createReadStream({ start, end }: { start: number; end: number }): Readable {
    const content = Buffer.alloc(end - start + 1)
    modelled.readSync(this.#descriptor, content, 0, content.length, start)
    return Readable.from([content])
  }

  async close(): Promise<void> {
    this.#disk.close(this.#descriptor)
  }
}

const later =
  <Parameters extends unknown[], Result>(work: (...parameters: Parameters) => Result) =>
  async (...parameters: Parameters): Promise<Result> => {
    // As with the thread pool, others get their turn first.
    await undefined
    return work(...parameters)
  }

const modelledPromises = {
  open: later((filePath: string, flags: string) => new Handle(modelled.openSync(filePath, flags))),
  mkdir: later(modelled.mkdirSync),
  rename: later(modelled.renameSync),
  rm: later(modelled.rmSync),
  rmdir: later(modelled.rmdirSync),
  unlink: later(modelled.unlinkSync),
  writeFile: later(modelled.writeFileSync),
  utimes: later((filePath: string, accessed: number, modified: number) => {
    disk().step()
    fs.utimesSync(filePath, accessed, modified)
    disk().wrote(filePath)
  }),
  readdir: later((directory: string, options: object) => {
    if (disk().isOff) throw new PowerIsOff()
    return fs.readdirSync(directory, options)
  }),
  readFile: later((filePath: string, encoding: BufferEncoding) => {
    if (disk().isOff) throw new PowerIsOff()
    return fs.readFileSync(filePath, encoding)
  }),
  stat: later((filePath: string, options: object) => {
    if (disk().isOff) throw new PowerIsOff()
    return fs.statSync(filePath, options)
  }),
}

/** `node:fs` with the mounted disk in it. */
export const watchFs = (module: typeof Fs) => guarded(module, modelled)

/** `node:fs/promises` with the mounted disk in it. */
export const watchFsPromises = (module: typeof FsPromises) => guarded(module, modelledPromises)
