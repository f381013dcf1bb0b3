import type { Runtime } from '@stockpipe/core'
import type { BarsDefinition } from './bars-definition.ts'

/** The longest a build may take to have its files in the catalog: Athena's statements take four hours at most. */
export const longestBuildMillis = 86_400_000

/** A name that sorts by time: of two builds of a day, the one that began later stays. */
export const runName = (runtime: Runtime): string => {
  const stamp = new Date(runtime.now()).toISOString().replace(/[-:.]/g, '')
  return `${stamp}-${Buffer.from(runtime.randomBytes(6)).toString('hex')}`
}

/** Where a run writes. */
export const runFolder = ({ table }: BarsDefinition, run: string): string => `${table.location}run=${run}/`

/** When a run began, by its name; never when it is no run's. */
export const runMillis = (name: string): number => {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(\d{3})Z-/.exec(name)
  if (match === null) return Number.POSITIVE_INFINITY
  const [, year, month, day, hour, minute, second, millis] = match.map(Number)
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!, millis!)
}
