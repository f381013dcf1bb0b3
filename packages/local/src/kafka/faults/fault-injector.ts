import { setTimeout } from 'node:timers/promises'
import { ConfigurationError, StockpipeError } from '@stockpipe/core'
import type { Interceptor, RequestContext } from '../network/dispatcher.ts'
import { type ApiName, apiTable } from '../protocol/api-table.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { errorAnswers } from './error-answers.ts'
import type { KafkaErrorName, KafkaFault, KafkaFaultAction, KafkaFaultOptions, KafkaFaults } from './fault.ts'
import { isAbout, mergeAnswers, namesTopics, splitByTopic, withTopicNames } from './named-topics.ts'

interface ActiveFault extends KafkaFaultOptions {
  readonly apiName: ApiName
  hits: number
}

type AnyErrorAnswer = (request: unknown, errorCode: number, context: RequestContext) => unknown

const apiNames = new Map(Object.entries(apiTable).map(([key, { name }]) => [name as string, key as ApiName]))
const errorNames = Object.keys(ErrorCode).filter((name) => name !== 'NONE')
/** What `setTimeout` can wait. */
const maxDelayMillis = 2 ** 31 - 1

/** Holds the faults of one broker and does what they say to the requests they hit. */
export class FaultInjector implements KafkaFaults {
  readonly #faults = new Set<ActiveFault>()
  readonly #topicNames: () => string[]

  /** `topicNames`: every topic of the broker, for requests that ask for all. */
  constructor(topicNames: () => string[]) {
    this.#topicNames = topicNames
  }

  add(options: KafkaFaultOptions): KafkaFault {
    const fault: ActiveFault = { ...options, apiName: checkFault(options), hits: 0 }
    this.#faults.add(fault)
    return {
      get hits() {
        return fault.hits
      },
      remove: () => {
        this.#faults.delete(fault)
      },
    }
  }

  clear(): void {
    this.#faults.clear()
  }

  readonly intercept: Interceptor = (name, request, context, serve) => {
    for (const fault of this.#faults) {
      if (fault.apiName !== name) continue
      const asked = withTopicNames(name, request, context.apiVersion, this.#topicNames)
      if (!hits(fault, name, asked)) continue
      fault.hits++
      if (fault.hits >= (fault.times ?? 1)) this.#faults.delete(fault)
      return act(fault, asked, context, serve)
    }
    return serve(request)
  }
}

const isError = (action: KafkaFaultAction): action is { readonly error: KafkaErrorName } =>
  typeof action === 'object' && 'error' in action

const hits = ({ topic, action }: ActiveFault, name: ApiName, request: unknown): boolean => {
  // Where errors stand beside topics, a request without a topic has no place for one.
  if (topic !== undefined || (isError(action) && namesTopics(name))) return isAbout(name, request, topic)
  return true
}

const act = async (
  { api, apiName, topic, action }: ActiveFault,
  request: unknown,
  context: RequestContext,
  serve: (request: unknown) => unknown,
): Promise<unknown> => {
  if (action === 'cut') throw connectionCut(`${api} was cut by a fault before any work was done.`)
  if (isError(action)) {
    const refuse = errorAnswers[apiName] as AnyErrorAnswer
    const split = topic === undefined ? undefined : splitByTopic(apiName, request, topic)
    const answer = refuse(split?.about ?? request, ErrorCode[action.error], context)
    if (!split?.hasOthers) return answer ?? closedForError(api)
    // An error is answered at once: the other topics are not waited for.
    const others = apiName === 'fetch' ? { ...(split.others as object), maxWaitMillis: 0 } : split.others
    const served = await serve(others)
    if (answer === null) return closedForError(api)
    return served === null ? null : mergeAnswers(apiName, answer, served)
  }
  const response = await serve(request)
  if (action === 'loseAnswer') {
    throw connectionCut(`The answer to ${api} was lost by a fault after the work was done.`)
  }
  await setTimeout(action.delayMillis, undefined, { signal: context.signal })
  return response
}

const closedForError = (api: string): never => {
  throw connectionCut(`${api} without acknowledgement failed by a fault.`)
}

const connectionCut = (message: string): StockpipeError =>
  new StockpipeError({ code: 'FAULT_INJECTED', message, retryable: true })

/** The API's name in the table; throws for what cannot be injected. */
const checkFault = ({ api, topic, times, action }: KafkaFaultOptions): ApiName => {
  const apiName = apiNames.get(api)
  if (apiName === undefined) throw invalid(`api ${quoted(api)} is not served`, [...apiNames.keys()])
  if (topic !== undefined && !namesTopics(apiName)) {
    const choices = [...apiNames].filter(([, key]) => namesTopics(key)).map(([name]) => name)
    throw invalid(`${api} names no topics, so topic cannot be given with it`, choices)
  }
  if (times !== undefined && times !== Number.POSITIVE_INFINITY && !(Number.isInteger(times) && times >= 1)) {
    throw invalid(`times ${quoted(times)} is no number of requests`, ['1', '2', '…', 'Infinity'])
  }
  if (action === 'cut' || action === 'loseAnswer') return apiName
  const { error, delayMillis } = (action ?? {}) as { error?: string; delayMillis?: number }
  if (error !== undefined && delayMillis === undefined) {
    if (!errorNames.includes(error)) throw invalid(`error ${quoted(error)} is unknown`, errorNames)
    if (errorAnswers[apiName] === undefined) {
      const choices = [...apiNames].filter(([, key]) => errorAnswers[key] !== undefined).map(([name]) => name)
      throw invalid(`an answer of ${api} has no place for an error; cut it instead`, choices)
    }
    return apiName
  }
  const isDelay = error === undefined && typeof delayMillis === 'number'
  if (isDelay && delayMillis >= 0 && delayMillis <= maxDelayMillis) return apiName
  const choices = ["'cut'", "'loseAnswer'", "{ error: 'NOT_LEADER_OR_FOLLOWER' }", '{ delayMillis: 500 }']
  throw invalid(`action ${quoted(action)} is none`, choices)
}

const quoted = (value: unknown): string => JSON.stringify(value) ?? String(value)

const invalid = (problem: string, choices: readonly string[]): ConfigurationError =>
  new ConfigurationError({
    code: 'FAULT_INVALID',
    message: `A Kafka fault cannot be added: ${problem}. Choose from ${choices.join(', ')}.`,
  })
