import { parentPort, workerData } from 'node:worker_threads'
import type { EngineOptions } from './engine-messages.ts'
import { serveEngine } from './engine-server.ts'

// The entry of a worker thread, which a sink starts; of no use by itself.
if (parentPort) serveEngine(parentPort, workerData as EngineOptions)
