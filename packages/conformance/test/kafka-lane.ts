import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { KafkaSubject } from '../src/index.ts'

const start = fileURLToPath(new URL('../../../lanes/kafka/start', import.meta.url))
/** How a lane ends where the machine lacks what it needs; one sentence on stderr says what. */
const skipCode = 77

/** A running Apache Kafka, or the sentence that says why this machine cannot have one. */
export type KafkaLane = (KafkaSubject & AsyncDisposable) | { readonly skipped: string }

/** Starts Apache Kafka with its defaults. Throws what the lane printed when it fails to start. */
export const startKafka = async (): Promise<KafkaLane> => {
  const child = spawn(process.execPath, [start], { stdio: ['ignore', 'pipe', 'pipe'] })
  const endWithUs = () => child.kill('SIGTERM')
  process.once('exit', endWithUs)
  let printed = ''
  child.stderr.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-10_000)
  })
  const closed = once(child, 'close').finally(() => process.off('exit', endWithUs))
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text))
  const first = await Promise.race([line, closed.then(() => undefined)])
  if (first !== undefined) {
    return {
      ...(JSON.parse(first) as { kafka: KafkaSubject }).kafka,
      [Symbol.asyncDispose]: async () => {
        child.kill('SIGTERM')
        await closed
      },
    }
  }
  if (child.exitCode === skipCode) return { skipped: printed.trim() }
  throw new Error(`lanes/kafka/start ended with ${child.exitCode ?? child.signalCode}:\n${printed}`)
}
