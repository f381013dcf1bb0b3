import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '@stockpipe/core'
import { createEngine } from './engine.ts'
import { type EngineHost, inlineEngine } from './engine-host.ts'
import type { EngineOptions } from './engine-messages.ts'
import type { SinkOptions, WorkerOptions } from './sink-options.ts'
import { WorkerEngine, type WorkerEngineOptions } from './worker-engine.ts'
import { ownThread, sharedThread } from './worker-thread.ts'

const mebibyte = 1024 * 1024
/** Groups a worker cuts at least before another takes its place. */
const leastGroups = 20

/**
 * The engine a sink's options ask for.
 *
 * Throws a `ConfigurationError` for options that the engine refuses, or that workers cannot serve.
 */
export const engineOf = (
  options: SinkOptions,
  engine: EngineOptions,
  events: Pick<WorkerEngineOptions, 'onLost' | 'onTaking'>,
): EngineHost => {
  const { name, workers } = options
  const refuse = (message: string): never => {
    throw new ConfigurationError({ code: 'SINK_OPTION_INVALID', message: `Sink ${name}: ${message}` })
  }
  // Functions of the program may keep what they are shown of a block.
  const inline = () =>
    inlineEngine(
      (options.createEngine ?? createEngine)(engine),
      Boolean(options.transform ?? options.createEngine),
    )
  const {
    count,
    entry = packageEntry(),
    maxEncoderBytes = 128 * mebibyte,
  }: WorkerOptions = typeof workers === 'object'
    ? workers
    : { ...(workers !== undefined && { count: workers }) }
  if (count !== undefined && (!Number.isSafeInteger(count) || count < 0 || count > 64))
    refuse(`\`workers\` are 0 to 64, not ${count}.`)
  if (!(maxEncoderBytes > 0))
    refuse(`workers.maxEncoderBytes is a number above 0, not ${String(maxEncoderBytes)}.`)
  if (count === 0) return inline()
  const ofCaller = (['transform', 'createEngine'] as const).find((option) => options[option])
  if (ofCaller !== undefined) {
    if (workers === undefined) return inline()
    refuse(`a function crosses no threads: with \`${ofCaller}\`, \`workers\` are 0.`)
  }
  // One thread of two on one core is only slower.
  if (count === undefined && availableParallelism() < 2) return inline()
  if (!isFile(entry)) {
    const remedy =
      'In a bundle, build `@stockpipe/s3-sink/engine-worker` as an entry of its own and name it in workers.entry; or set workers to 0.'
    if (workers !== undefined) refuse(`there is no entry of a worker at ${entry}. ${remedy}`)
    options.logger?.warn(
      `Sink ${name} decodes and encodes on its own thread: there is no entry of a worker at ${entry}. ${remedy}`,
    )
    return inline()
  }
  // What the engine refuses is told now, and by this call.
  createEngine(engine).close()
  const start = () => (count === undefined ? sharedThread : ownThread)(entry!, engine)
  return new WorkerEngine({ ...events, workers: count ?? 1, start, maxEncoderBytes, leastGroups })
}

/** The file of the package; undefined in a bundle of CommonJS modules, which do not know where they are. */
const packageEntry = (): URL | undefined => {
  try {
    // A bundler that takes it for an asset would copy the file without what it imports.
    return new URL(/* webpackIgnore: true */ './engine-worker.js', import.meta.url)
  } catch {
    return undefined
  }
}

const isFile = (entry: URL | undefined): entry is URL =>
  entry?.protocol === 'file:' && existsSync(fileURLToPath(entry))
