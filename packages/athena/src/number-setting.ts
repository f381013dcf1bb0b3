import { ConfigurationError } from '@stockpipe/core'

/** Throws a `ConfigurationError` for a setting that is no number, or below the least; undefined is fine. */
export const requireNumber = (name: string, value: number | undefined, least: number): void => {
  if (value === undefined || value >= least) return
  throw new ConfigurationError({
    code: 'NUMBER_INVALID',
    message: `${name} is a number from ${least} on, not ${String(value)}.`,
  })
}
