import { isProjected, isProjectionParameter } from './catalog-table.ts'
import type { TableChange } from './table-plan.ts'

type Parameters = Readonly<Record<string, string>>

/** How the partition projection of a table changes, and which rows its queries lose by that. */
export const projectionChanges = (inCatalog: Parameters, wanted: Parameters): readonly TableChange[] => {
  const [was, is] = [isProjected(inCatalog), isProjected(wanted)]
  // What is left of a projection that is switched off means nothing to Athena.
  if (!was && !is) return []
  const names = new Set([...Object.keys(inCatalog), ...Object.keys(wanted)].filter(isProjectionParameter))
  return [...names].flatMap((name): TableChange[] => {
    const [before, after] = [inCatalog[name], wanted[name]]
    if (before === after) return []
    const base = {
      kind:
        before === undefined
          ? ('add' as const)
          : after === undefined
            ? ('remove' as const)
            : ('change' as const),
      what: `parameter ${name}`,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    }
    if (name === 'projection.enabled') return [{ ...base, ...switched(was, is) }]
    if (was !== is) return [{ ...base, reason: is ? 'part of the projection' : 'the projection is given up' }]
    if (before !== undefined && after !== undefined && isWider(name, before, after)) {
      return [{ ...base, reason: 'all that was projected still is' }]
    }
    return [
      {
        ...base,
        reason: 'rows in partitions that are no longer projected are not found, without an error',
        destructive: 'hide-partitions',
      },
    ]
  })
}

const switched = (was: boolean, is: boolean): Pick<TableChange, 'reason' | 'destructive'> => {
  if (was === is) return { reason: 'the same in other letters' }
  return {
    destructive: 'hide-partitions',
    reason: is
      ? 'registered partitions are ignored from then on: rows outside the rules are not found, without an error'
      : 'only registered partitions are read from then on: register those that were projected',
  }
}

/** Whether every value projected by the first is projected by the second. */
const isWider = (name: string, before: string, after: string): boolean => {
  if (name.endsWith('.values')) {
    const values = after.split(',')
    return before.split(',').every((value) => values.includes(value))
  }
  if (!name.endsWith('.range')) return false
  const [[from, to], [newFrom, newTo]] = [ends(before), ends(after)]
  return noLater(newFrom, from) && noLater(to, newTo)
}

const ends = (range: string): readonly [string, string] => {
  const [from = '', to = ''] = range.split(',')
  return [from.trim(), to.trim()]
}

/** Whether one end of a range surely lies no later than another; ends of different kinds are not compared. */
const noLater = (left: string, right: string): boolean => {
  if (left === right) return true
  const [first, second] = [shiftOf(left), shiftOf(right)]
  if (first && second) return first.unit === second.unit && first.steps <= second.steps
  if (first || second) return false
  if (/^-?\d+$/.test(left) && /^-?\d+$/.test(right)) return BigInt(left) <= BigInt(right)
  return left.length === right.length && left <= right
}

const shiftOf = (end: string): { readonly steps: number; readonly unit: string } | undefined => {
  const [, sign, steps = '0', unit = 'DAY'] = /^NOW(?:\s*([+-])\s*(\d+)\s*([A-Z]+?)S?)?$/.exec(end) ?? []
  return end.startsWith('NOW') ? { steps: Number(`${sign ?? ''}${steps}`), unit } : undefined
}
