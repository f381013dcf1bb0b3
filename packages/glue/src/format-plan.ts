import { destructiveChangesOf, type PlannedTable, type TableChange, type TablePlan } from './table-plan.ts'

export interface FormatPlanOptions {
  /** Colours by ANSI escapes, for a terminal. Default false. */
  readonly colours?: boolean
}

const codes = { green: 32, red: 31, yellow: 33, grey: 90, bold: 1 } as const
type Paint = (colour: keyof typeof codes, text: string) => string

/** What the sign of a line says: made, changed, taken away. */
const signs = { add: '+', change: '~', remove: '-' } as const
const colours = { add: 'green', change: 'yellow', remove: 'red' } as const

/**
 * The plan as a person reads it: a line a change with `+`, `~` or `-`, then why; what can be lost is marked with `!` and
 * named as `applyPlan` wants it allowed.
 */
export const formatPlan = (plan: TablePlan, options: FormatPlanOptions = {}): string => {
  const paint: Paint = (colour, text) => (options.colours ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text)
  const blocks = [
    ...plan.databases
      .filter(({ action }) => action === 'create')
      .map(({ name }) => `${paint('green', `+ database ${name}`)}\n`),
    ...plan.tables.map((table) => tableBlock(table, paint)),
  ]
  return `${blocks.join('\n')}${blocks.length > 0 ? '\n' : ''}${summary(plan, paint)}`
}

const tableBlock = (table: PlannedTable, paint: Paint): string => {
  const name = `table ${table.database}.${table.name}`
  switch (table.action) {
    case 'none':
      return `${paint('grey', `= ${name}: nothing differs`)}\n`
    case 'create':
      return `${paint('green', `+ ${name}`)}\n${changeLines(table.changes, paint)}`
    case 'update':
      return `${paint('yellow', `~ ${name}`)}${of(table)}\n${changeLines(table.changes, paint)}`
    case 'replace':
      return `${paint('red', `-/+ ${name}`)}${of(table)}\n${changeLines(table.changes, paint)}`
  }
}

const of = ({ version }: PlannedTable) => (version === null ? '' : ` (version ${version})`)

const changeLines = (changes: readonly TableChange[], paint: Paint): string => {
  const told = changes.map((change) => ({ change, text: changeText(change) }))
  // The reasons stand below each other, but for those of lines that are too long for that.
  const width = Math.max(0, ...told.map(({ text }) => text.length).filter((length) => length <= 56))
  return told
    .map(({ change, text }) => {
      const { kind, reason, destructive } = change
      const line = paint(colours[kind], text)
      const gap = ' '.repeat(Math.max(2, width - text.length + 2))
      const why =
        destructive === undefined
          ? paint('grey', visible(reason))
          : paint('red', `! ${destructive}: ${visible(reason)}`)
      return `    ${reason === '' ? line : `${line}${gap}${why}`}\n`
    })
    .join('')
}

const changeText = ({ kind, what, before, after }: TableChange): string => {
  const values =
    kind === 'change'
      ? what.endsWith('.values')
        ? listDifference(before ?? '', after ?? '')
        : `${cut(before ?? '')} -> ${cut(after ?? '')}`
      : cut(after ?? before ?? '')
  return visible(`${signs[kind]} ${what} ${values}`.trimEnd())
}

/** Longer values are cut: the plan as data has them whole. */
const longestValue = 200
const cut = (value: string): string =>
  value.length > longestValue ? `${value.slice(0, longestValue)}… (${value.length} characters)` : value

/** What is added to a list of values and what goes; the lists themselves may have hundreds. */
const listDifference = (before: string, after: string): string => {
  const [old, next] = [before.split(','), after.split(',')]
  const [inOld, inNext] = [new Set(old), new Set(next)]
  const added = next.filter((value) => !inOld.has(value)).map((value) => `+${value}`)
  const removed = old.filter((value) => !inNext.has(value)).map((value) => `-${value}`)
  const changes = [...removed, ...added].join(' ') || 'in another order'
  return `${cut(changes)} (${old.length} -> ${next.length} values)`
}

/** Names and values of the catalog are anybody's: what would move the cursor of a terminal becomes an escape. */
const visible = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const summary = (plan: TablePlan, paint: Paint): string => {
  const count = (action: PlannedTable['action']) => plan.tables.filter((one) => one.action === action).length
  const databases = plan.databases.filter(({ action }) => action === 'create').length
  const parts = [
    ...(databases === 0 ? [] : [`${databases} ${databases === 1 ? 'database' : 'databases'} to create`]),
    `${count('create')} to create`,
    `${count('update')} to change`,
    `${count('replace')} to replace`,
    `${count('none')} as defined`,
  ]
  const destructive = destructiveChangesOf(plan)
  const kinds = [...new Set(destructive.map((change) => change.destructive))]
  const warning =
    destructive.length === 0
      ? ''
      : `${paint('red', `! ${destructive.length} ${destructive.length === 1 ? 'change loses' : 'changes lose'} something and must be allowed: ${kinds.join(', ')}.`)}\n`
  return `${paint('bold', `${parts.join(', ')}.`)}\n${warning}`
}
