import type { AppliedPlan, AppliedTable, DestructiveChange, TablePlan } from '@stockpipe/glue'
import { awsSettings } from '../aws-settings.ts'
import { type Command, type CommandArguments, type CommandIO, UsageError } from '../command.ts'
import { loadTables } from '../load-tables.ts'
import { tableDrift } from './table-drift.ts'

const help = `Compares table definitions with the Glue catalog, and makes the catalog so.

Usage: stockpipe table plan  FILE [--json]
       stockpipe table apply FILE [--yes | --allow KIND,...] [--json]
       stockpipe table drift FILE [--files N|all] [--sample N] [--json]

FILE is a module that exports bound tables, trades.at({ database, location }), or what catalogTable of @stockpipe/glue
says of them (projection, parameters).

  --json           plan: the plan, apply: what was done, drift: what differs, as JSON on stdout
  --allow KIND,…   apply: destructive changes that may be made: drop-column, break-data, hide-partitions, move-location,
                   replace-table
  --yes            apply: all destructive changes that the plan shows
  --files N|all    drift: how many files of each folder are looked at, the last by their keys (default 1; 0 none)
  --sample N       drift: only files of so many registered partitions, picked at random (default all)

plan writes nothing. Exit status 0 when nothing differs, 3 when something does.
apply makes databases that are missing, creates and changes tables, and is repeated safely. A plan with destructive changes
asks at a terminal, and elsewhere applies nothing without --yes or --allow. A table changed by another meanwhile is left as
it is. Files on S3 are never touched.

drift compares the definition, the catalog's table, the columns of all registered partitions and footers of files on S3, and
names the error that queries end with. It writes nothing. Exit status 0 when nothing has drifted, 3 when something has.

Where: AWS_ENDPOINT_URL (a local stack), AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE.
`

/** The exit status of a plan by which something would change. */
const differs = 3

/** After how many partitions their mending is told of; it takes some seconds. */
const progressStep = 1000

interface Action {
  readonly glue: typeof import('@stockpipe/glue')
  readonly client: import('@aws-sdk/client-glue').GlueClient
  readonly plan: TablePlan
  readonly values: CommandArguments['values']
  readonly io: CommandIO
}

const showPlan = ({ glue, plan, values, io }: Action): number => {
  io.stdout.write(values['json'] === true ? jsonText(plan) : planText(glue, plan, io))
  return glue.planDiffers(plan) ? differs : 0
}

const applyPlan = async ({ glue, client, plan, values, io }: Action): Promise<number> => {
  const json = values['json'] === true
  // The plan is shown before anybody is asked, and with --json beside the JSON.
  const plain = { ...io, stdout: json ? io.stderr : io.stdout }
  plain.stdout.write(planText(glue, plan, plain))
  if (!glue.planDiffers(plan) && !json) return 0
  const allow = await allowed(glue, plan, values, io)
  if (allow === undefined) return 1
  const { signal } = io
  try {
    const applied = await glue.applyPlan(plan, {
      client,
      allow,
      signal,
      onPartitionsMended: ({ database, table, done, total }) => {
        if (total > progressStep && (done % progressStep === 0 || done === total)) {
          io.stderr.write(`${database}.${table}: ${done} of ${total} older partitions\n`)
        }
      },
      onApplied: (one) => {
        if (!json && one.outcome !== 'unchanged' && one.outcome !== 'failed') {
          io.stdout.write(
            `${one.outcome} ${'table' in one ? `${one.database}.${one.table}${mendedText(one)}` : one.database}\n`,
          )
        }
      },
    })
    if (json) io.stdout.write(appliedJson(applied))
    return 0
  } catch (error) {
    if (json && error instanceof glue.PlanNotAppliedError) {
      io.stdout.write(appliedJson({ databases: [], tables: error.tables }))
    }
    throw error
  }
}

/** The destructive changes that may be made; undefined, and stderr says why, when some of the plan's may not. */
const allowed = async (
  glue: Action['glue'],
  plan: TablePlan,
  values: CommandArguments['values'],
  io: CommandIO,
): Promise<readonly DestructiveChange[] | undefined> => {
  const allow = allowedKinds(glue, values)
  const refused = glue.destructiveChangesOf(plan).filter(({ destructive }) => !allow.includes(destructive))
  if (refused.length === 0) return allow
  const kinds = [...new Set(refused.map(({ destructive }) => destructive))].join(',')
  const answer = await io.ask?.(
    `Apply it, though ${kinds.replaceAll(',', ', ')} can lose something? yes/no: `,
  )
  if (answer?.trim().toLowerCase() === 'yes') return glue.destructiveChanges
  io.stderr.write(
    answer === undefined
      ? `stockpipe table: nothing was applied; if the changes marked with ! are meant, give --allow ${kinds} (or --yes).\n`
      : 'stockpipe table: nothing was applied.\n',
  )
  return undefined
}

const allowedKinds = (
  glue: Action['glue'],
  values: CommandArguments['values'],
): readonly DestructiveChange[] => {
  if (values['yes'] === true) return glue.destructiveChanges
  const names = typeof values['allow'] === 'string' ? values['allow'].split(',') : []
  return names.map((name) => {
    const kind = glue.destructiveChanges.find((one) => one === name.trim())
    if (kind === undefined) {
      throw new UsageError(`--allow takes ${glue.destructiveChanges.join(', ')}, not '${name}'`)
    }
    return kind
  })
}

const planText = (glue: Action['glue'], plan: TablePlan, io: CommandIO): string =>
  glue.formatPlan(plan, { colours: io.stdout.isTTY === true && !io.env['NO_COLOR'] })

const mendedText = (table: AppliedTable): string =>
  table.outcome === 'failed' || table.mendedPartitions === undefined
    ? ''
    : `, ${table.mendedPartitions} older partitions`

const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

const appliedJson = ({ databases, tables }: AppliedPlan): string =>
  jsonText({ databases, tables: tables.map(withoutStack) })

const withoutStack = (table: AppliedTable) =>
  table.outcome === 'failed'
    ? { ...table, error: { code: table.error.code, message: table.error.message } }
    : table

export const tableCommand: Command = {
  name: 'table',
  summary: 'compare table definitions with the Glue catalog, and make it so',
  help,
  options: {
    json: { type: 'boolean' },
    yes: { type: 'boolean' },
    allow: { type: 'string' },
    files: { type: 'string' },
    sample: { type: 'string' },
  },
  async run({ values, positionals }, io) {
    const [name, file, ...others] = positionals
    if (name !== 'plan' && name !== 'apply' && name !== 'drift') {
      throw new UsageError(`it takes plan, apply or drift${name === undefined ? '' : `, not '${name}'`}`)
    }
    if (file === undefined || others.length > 0) throw new UsageError(`${name} takes one FILE`)
    if (name !== 'apply' && (values['yes'] !== undefined || values['allow'] !== undefined)) {
      throw new UsageError('--yes and --allow go with apply')
    }
    if (name !== 'drift' && (values['files'] !== undefined || values['sample'] !== undefined)) {
      throw new UsageError('--files and --sample go with drift')
    }
    const settings = awsSettings('Glue', io.env)
    const [tables, { GlueClient }, glue] = await Promise.all([
      loadTables(file),
      import('@aws-sdk/client-glue'),
      import('@stockpipe/glue'),
    ])
    allowedKinds(glue, values)
    const client = new GlueClient(settings)
    try {
      if (name === 'drift') return await tableDrift(tables, glue, client, values, io)
      const plan = await glue.planTables({ client, tables, signal: io.signal })
      const action = { glue, client, plan, values, io }
      return name === 'plan' ? showPlan(action) : await applyPlan(action)
    } finally {
      client.destroy()
    }
  },
}
