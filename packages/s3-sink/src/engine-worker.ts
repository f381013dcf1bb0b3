import { parentPort } from 'node:worker_threads'
import { createEngine } from './engine.ts'
import { serveEngine } from './engine-server.ts'
import type { EngineStart } from './worker-messages.ts'

// The entry of a worker thread, which a sink starts; of no use by itself.
parentPort?.on('message', ({ options, port }: EngineStart) => {
  const engine = createEngine(options)
  port.on('close', () => engine.close())
  serveEngine(port, options, () => engine)
})
