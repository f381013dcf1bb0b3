import { type Runtime, StockpipeError } from '@stockpipe/core'

/** The middleware stack of a command, as far as it is used here. */
interface CommandStack {
  addRelativeTo(middleware: unknown, options: object): void
}

/** `20260102T030405Z` as milliseconds since the epoch; undefined when it is not that. */
const readAmzDate = (text: string | undefined): number | undefined => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '')
  return match ? Date.parse(`${match.slice(1, 4).join('-')}T${match.slice(4).join(':')}Z`) : undefined
}

/**
 * Has a command not be sent when it is signed later than a time. AWS refuses signatures that are some minutes old, so
 * the request takes effect soon after that time or never, however long the process hangs meanwhile.
 */
export const signBefore = (command: object, runtime: Runtime, signedBefore: number, what: string): void => {
  const guard =
    <Input extends object, Output>(next: (input: Input) => Promise<Output>) =>
    async (input: Input): Promise<Output> => {
      const { headers } = (input as { request?: { headers?: Record<string, string> } }).request ?? {}
      const now = runtime.now()
      if (Math.max(readAmzDate(headers?.['x-amz-date']) ?? now, now) >= signedBefore) {
        throw new StockpipeError({
          code: 'SIGNED_TOO_LATE',
          message: `${what} was not sent: what it relies on was read too long ago. Read again first.`,
        })
      }
      return next(input)
    }
  const { middlewareStack } = command as { readonly middlewareStack: CommandStack }
  middlewareStack.addRelativeTo(guard, {
    name: 'stockpipeSigningTimeGuard',
    relation: 'after',
    toMiddleware: 'httpSigningMiddleware',
  })
}
