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
        destructive === undefined ? paint('grey', reason) : paint('red', `! ${destructive}: ${reason}`)
      return `    ${reason === '' ? line : `${line}${gap}${why}`}\n`
    })
    .join('')
}

const changeText = ({ kind, what, before, after }: TableChange): string => {
  const values = kind === 'change' ? `${before ?? ''} -> ${after ?? ''}` : (after ?? before ?? '')
  return `${signs[kind]} ${what} ${values}`.trimEnd()
}

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
