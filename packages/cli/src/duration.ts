import { UsageError } from './command.ts'

const unitMillis = { s: 1000, m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const

/** A duration such as `90m`, `36h` or `2d`, in milliseconds. Throws a `UsageError` for anything else. */
export const durationMillis = (option: string, text: string): number => {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text)
  if (match) return Number(match[1]) * unitMillis[match[2] as keyof typeof unitMillis]
  throw new UsageError(`--${option} takes a duration such as 90m, 36h or 2d, not '${text}'`)
}
