import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as zlib from 'node:zlib'
import type { ByteWriter } from './byte-writer.ts'

/** Appends `source[0, length)` as one zstd frame. */
export type ZstdCompressor = (source: Uint8Array, length: number, target: ByteWriter) => void

/** What Node.js has from 22.15 and 23.8 on. */
const native = zlib as {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Uint8Array
  readonly constants: { readonly ZSTD_c_compressionLevel?: number }
}

/** As far as it is used here. */
interface WasmInstance {
  readonly exports: object
}

const wasm = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Module: new (bytes: Uint8Array) => object
      readonly Instance: new (module: object, imports: object) => WasmInstance
    }
  }
).WebAssembly

/** What the WebAssembly build of zstd exports, as far as it is used here. */
interface ZstdModule {
  instantiateWasm?: (imports: object, receive: (instance: WasmInstance) => void) => object
  init(bytes: Uint8Array): void
  readonly HEAPU8: Uint8Array
  _malloc(bytes: number): number
  _free(at: number): void
  _ZSTD_createCCtx(): number
  _ZSTD_compressBound(bytes: number): number
  _ZSTD_compress_usingDict(
    context: number,
    target: number,
    targetBytes: number,
    source: number,
    sourceBytes: number,
    dictionary: number,
    dictionaryBytes: number,
    level: number,
  ): number
  _ZSTD_isError(code: number): number
}

let module: ZstdModule | undefined
let context = 0
/** Memory of the module that is used again: what goes in, then what comes out. */
let room = { at: 0, bytes: 0 }

/** Memory zstd holds outside the JavaScript heap; it does not shrink. */
export const zstdMemoryBytes = (): number => module?.HEAPU8.buffer.byteLength ?? 0

/** zstd at a level, by Node.js where it has it, else by WebAssembly, which is loaded now. */
export const zstdCompressor = (level: number): ZstdCompressor => {
  const { zstdCompressSync, constants } = native
  if (zstdCompressSync !== undefined) {
    const options = { params: { [constants.ZSTD_c_compressionLevel!]: level } }
    return (source, length, target) => target.append(zstdCompressSync(source.subarray(0, length), options))
  }
  module ??= loadModule()
  const zstd = module
  return (source, length, target) => {
    const bound = zstd._ZSTD_compressBound(length)
    if (room.bytes < length + bound) {
      if (room.bytes > 0) zstd._free(room.at)
      room = { at: zstd._malloc(length + bound), bytes: length + bound }
    }
    zstd.HEAPU8.set(source.subarray(0, length), room.at)
    const written = zstd._ZSTD_compress_usingDict(
      context,
      room.at + length,
      bound,
      room.at,
      length,
      0,
      0,
      level,
    )
    if (zstd._ZSTD_isError(written)) throw new Error(`zstd answered ${written}`)
    target.append(zstd.HEAPU8.subarray(room.at + length, room.at + length + written))
  }
}

/**
 * An instance of our own, compiled at once: the package's is made asynchronously, and whoever else uses it may be in
 * the middle of that.
 */
const loadModule = (): ZstdModule => {
  const require = createRequire(import.meta.url)
  const folder = dirname(require.resolve('@bokuweb/zstd-wasm'))
  const path = join(folder, 'zstd.js')
  const others = require.cache[path]
  delete require.cache[path]
  const { Module } = require(path) as { readonly Module: ZstdModule }
  if (others) require.cache[path] = others
  else delete require.cache[path]
  const bytes = readFileSync(join(folder, 'zstd.wasm'))
  Module.instantiateWasm = (imports, receive) => {
    const instance = new wasm.Instance(new wasm.Module(bytes), imports)
    receive(instance)
    return instance.exports
  }
  Module.init(bytes)
  context = Module._ZSTD_createCCtx()
  return Module
}
