import type { Runtime } from '@stockpipe/core'
import { abortWith } from '@stockpipe/core'
import { objectStoreFailure } from './object-store-failure.ts'

/** How long most calls are waited for. */
export const callMillis = 30_000

/** One call to S3, for its errors and its end. */
export interface S3Call {
  readonly operation: string
  readonly key: string
  /** No answer after so many milliseconds is none. */
  readonly millis: number
  readonly signal: AbortSignal | undefined
}

/** What of an SDK error is an answer: an object that is there, an upload that is not. */
export interface AnswerWhen<Answer> {
  readonly isAnswer: (error: unknown) => boolean
  readonly answer: Answer
}

/** Where a command takes middleware; the SDK's own type needs its five type parameters. */
interface CommandStack {
  add(middleware: unknown, options: object): void
  addRelativeTo(middleware: unknown, options: object): void
}

export const middlewareStackOf = (command: object): CommandStack =>
  (command as { middlewareStack: CommandStack }).middlewareStack

const passThrough =
  <Input, Output>(next: (input: Input) => Promise<Output>) =>
  (input: Input): Promise<Output> =>
    next(input)

/** Makes calls on one bucket: each once, without the SDK's repeats, and classifies what it throws. */
export class S3Calls {
  readonly #bucket: string
  readonly #runtime: Runtime

  constructor(bucket: string, runtime: Runtime) {
    this.#bucket = bucket
    this.#runtime = runtime
  }

  /** Throws an `ObjectStoreError`, or the signal's reason; errors that are answers become them. */
  async make<Answer>(
    call: S3Call,
    command: object,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
    ...answers: readonly AnswerWhen<Answer>[]
  ): Promise<Answer> {
    call.signal?.throwIfAborted()
    middlewareStackOf(command).add(passThrough, {
      name: 'retryMiddleware',
      step: 'finalizeRequest',
      priority: 'high',
      override: true,
    })
    const late = new AbortController()
    const timer = this.#runtime.setTimer(() => late.abort(), call.millis)
    const unfollow = call.signal && abortWith(call.signal, late)
    try {
      return await send({ abortSignal: late.signal })
    } catch (error) {
      for (const { isAnswer, answer } of answers) if (isAnswer(error)) return answer
      throw call.signal?.aborted
        ? call.signal.reason
        : objectStoreFailure(error, { ...call, bucket: this.#bucket })
    } finally {
      timer.cancel()
      unfollow?.()
    }
  }
}

/** What an answer has to hold; without it it is none. */
export const given = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new Error(`the answer has no ${name}`)
  return value
}
