import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { faultError, type S3FaultAction } from './s3-faults.ts'

/** Waits, unless the connection ends before; true when it has ended. */
const delay = async (delayMillis: number, response: ServerResponse): Promise<boolean> => {
  const gone = new AbortController()
  const abort = () => gone.abort()
  response.once('close', abort)
  await setTimeout(delayMillis, undefined, { signal: gone.signal }).catch(() => undefined)
  response.off('close', abort)
  return response.destroyed
}

/** Does the work; where its answer would begin, the connection ends. */
const loseAnswer = async (response: ServerResponse, work: () => Promise<void>): Promise<void> => {
  const cut = () => response.destroy()
  response.writeHead = cut
  response.end = cut
  // A refusal is an answer too: it is lost as well.
  await work().catch(() => undefined)
  cut()
}

/** Answers a request as a fault has it. Throws the `ServiceError` of a fault that names one. */
export const answerWithFault = async (
  action: S3FaultAction,
  response: ServerResponse,
  work: () => Promise<void>,
): Promise<void> => {
  if (action === 'cut') response.destroy()
  else if (action === 'loseAnswer') await loseAnswer(response, work)
  else if ('error' in action) throw faultError(action.error)
  else if (!(await delay(action.delayMillis, response))) await work()
}
