import type { JobLogReader } from './run-job.ts'

/** What is asked of CloudWatch Logs: `CloudWatchLogs` of `@aws-sdk/client-cloudwatch-logs` has it. */
export interface LogEventsSource {
  getLogEvents(input: {
    readonly logGroupName: string
    readonly logStreamName: string
    readonly startFromHead: boolean
    readonly nextToken?: string
  }): Promise<{
    readonly events?: readonly { readonly message?: string | undefined }[] | undefined
    readonly nextBackwardToken?: string | undefined
  }>
}

/** Pages may be empty and be followed by others; a log that goes on so is given up. */
const longestSearch = 50

/**
 * A reader of the last lines of a run's log in CloudWatch Logs, page by page from its end: for `readLog` of `runJob`.
 * Answers the oldest line first.
 *
 * @param lines at most how many. Default 20
 */
export const cloudWatchLogReader =
  (logs: LogEventsSource, { lines = 20 }: { readonly lines?: number } = {}): JobLogReader =>
  async ({ logGroup, logStream }) => {
    let found: string[] = []
    let token: string | undefined
    for (let page = 1; page <= longestSearch && found.length < lines; page++) {
      const { events = [], nextBackwardToken } = await logs.getLogEvents({
        logGroupName: logGroup,
        logStreamName: logStream,
        startFromHead: false,
        ...(token === undefined ? {} : { nextToken: token }),
      })
      found = [...events.flatMap(({ message = '' }) => message.trimEnd().split('\n')), ...found]
      // The same token again is CloudWatch's word for the beginning of the log.
      if (nextBackwardToken === undefined || nextBackwardToken === token) break
      token = nextBackwardToken
    }
    return found.slice(-lines)
  }
