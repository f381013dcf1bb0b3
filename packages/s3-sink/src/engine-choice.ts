import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ConfigurationError, type TopicPartition } from '@stockpipe/core'
import { createEngine } from './engine.ts'
import { type EngineHost, inlineEngine } from './engine-host.ts'
import type { EngineOptions } from './engine-messages.ts'
import type { SinkOptions, WorkerOptions } from './sink-options.ts'
import { WorkerEngine } from './worker-engine.ts'

/**
 * The engine a sink's options ask for.
 *
 * Throws a `ConfigurationError` for options that the engine refuses, or that workers cannot serve.
 */
export const engineOf = (
  options: SinkOptions,
  engine: EngineOptions,
  onLost: (log: TopicPartition, error: Error) => void,
): EngineHost => {
  const { name, workers, transform } = options
  const refuse = (message: string): never => {
    throw new ConfigurationError({ code: 'SINK_OPTION_INVALID', message: `Sink ${name}: ${message}` })
  }
  const inline = () => inlineEngine((options.createEngine ?? createEngine)(engine))
  const { count = 1, entry = packageEntry }: WorkerOptions =
    typeof workers === 'object' ? workers : { count: workers ?? 0 }
  if (!Number.isSafeInteger(count) || count < 0 || count > 64)
    refuse(`\`workers\` are 0 to 64, not ${count}.`)
  if (count === 0) return inline()
  if (transform || options.createEngine)
    refuse(
      `a function crosses no threads: with \`${transform ? 'transform' : 'createEngine'}\`, \`workers\` are 0.`,
    )
  if (!existsSync(fileURLToPath(entry)))
    refuse(
      `there is no entry of a worker at ${entry}. In a bundle, build \`@stockpipe/s3-sink/engine-worker\` as an entry of its own and name it in workers.entry; or set workers to 0.`,
    )
  // What the engine refuses is told now, and by this call.
  createEngine(engine).close()
  const start = () => new Worker(entry, { workerData: engine, name: 'stockpipe-engine' })
  return new WorkerEngine({ workers: count, start, onLost })
}

const packageEntry = new URL('./engine-worker.js', import.meta.url)
