import type { TelemetryChannel } from '@stockpipe/core'
import { onTestFinished } from 'vitest'

/** What is published on a channel until the test ends. */
export const heardOn = <Payload extends object>(channel: TelemetryChannel<Payload>): Payload[] => {
  const heard: Payload[] = []
  onTestFinished(channel.subscribe((payload) => heard.push(payload)))
  return heard
}
