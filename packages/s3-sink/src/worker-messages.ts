import type { MessagePort } from 'node:worker_threads'
import { type RecordBatchBlock, StockpipeError, type StockpipeErrorOptions } from '@stockpipe/core'
import type { EngineOptions, EngineRequest, EngineResponse } from './engine-messages.ts'
import type { BlockFacts } from './flush-group.ts'

/** Has a worker thread make an engine, which is asked by the port. */
export interface EngineStart {
  readonly options: EngineOptions
  readonly port: MessagePort
}

/** What the thread of the sink asks of an engine's worker. Requests are done in the order they come. */
export type WorkerRequest =
  | { readonly kind: 'handle'; readonly id: number; readonly request: EngineRequest }
  /** Unpack record batches, and take what they hold as blocks. */
  | ({ readonly kind: 'batches'; readonly id: number } & BatchesRequest)
  /** What comes next of the block, the batches or the cut that was begun. */
  | { readonly kind: 'pull'; readonly id: number }
  /** It is not pulled any further. */
  | { readonly kind: 'return'; readonly id: number }

/** Record batches for the open flush group, as `block` of `EngineRequest` is one block. */
export interface BatchesRequest {
  readonly block: RecordBatchBlock
  readonly from: bigint
  readonly watermark: number | null
}

/** What the worker answers to a block, a discard and every pull: the responses up to the next part, or to the end. */
export interface WorkerAnswer {
  readonly id: number
  readonly responses: readonly EngineResponse[]
  readonly done: boolean
  readonly error?: ThrownValue
  /** Bytes the worker holds outside the JavaScript heap. */
  readonly encoderBytes: number
  /** The request's block, where the engine stopped within it, or before it for want of schemas. */
  readonly block?: Extract<EngineRequest, { kind: 'block' }>['block']
  /** What record batches add to the open group; null when no block was made of them. */
  readonly facts?: BlockFacts | null
  /** The buffers of the request's block, where it was taken. */
  readonly memory?: readonly ArrayBuffer[]
}

/** What was thrown, as it crosses threads: a class does not. */
export interface ThrownValue {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly stockpipe?: Pick<StockpipeErrorOptions, 'code' | 'retryable' | 'facts'>
  readonly cause?: ThrownValue
}

export const thrownValue = (error: unknown): ThrownValue => {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack, cause } = error
  return {
    name,
    message,
    ...(stack === undefined ? {} : { stack }),
    ...(StockpipeError.isInstance(error)
      ? { stockpipe: { code: error.code, retryable: error.retryable, facts: error.facts } }
      : {}),
    ...(cause === undefined ? {} : { cause: thrownValue(cause) }),
  }
}

/** The error again; one of stockpipe's keeps its name, code and facts. */
export const revivedError = ({ name, message, stack, stockpipe, cause }: ThrownValue): Error => {
  const beneath = cause && revivedError(cause)
  const error = stockpipe
    ? new StockpipeError({ ...stockpipe, code: stockpipe.code, message, cause: beneath })
    : new Error(message, beneath && { cause: beneath })
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true })
  if (stack !== undefined) error.stack = stack
  return error
}
