import { parseArgs } from 'node:util'
import { nearestName, StockpipeError } from '@stockpipe/core'
import { type Command, type CommandArguments, type CommandIO, UsageError } from './command.ts'
import { compactCommand } from './commands/compact.ts'
import { deadLettersCommand } from './commands/dead-letters.ts'
import { journalCommand } from './commands/journal.ts'
import { localCommand } from './commands/local.ts'
import { queryCommand } from './commands/query.ts'
import { retireCommand } from './commands/retire.ts'
import { sinkCommand } from './commands/sink.ts'
import { tableCommand } from './commands/table.ts'
import { verifyCommand } from './commands/verify.ts'

declare const __PACKAGE_VERSION__: string

const commands: readonly Command[] = [
  localCommand,
  sinkCommand,
  tableCommand,
  queryCommand,
  verifyCommand,
  compactCommand,
  retireCommand,
  journalCommand,
  deadLettersCommand,
]

const overview = `stockpipe: market records from Kafka to Parquet on S3, Glue and Athena

Usage: stockpipe <command> [options]

Commands:
${commands.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`).join('\n')}

  stockpipe <command> --help   what a command takes
  stockpipe --version          the version of this package
`

/**
 * Runs one command line, without `node` and the script's path in front.
 *
 * Answers the exit status: 0 done; 1 it failed, and stderr says why; 2 the command line is wrong; 130 interrupted; others
 * as the command's help says.
 */
export const main = async (argv: readonly string[], io: CommandIO): Promise<number> => {
  const [name = '--help', ...rest] = argv
  if (name === '--help' || name === '-h' || name === 'help') return helpCommand(rest, io)
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${__PACKAGE_VERSION__}\n`)
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) return unknownCommand(name, io)
  try {
    const { values, positionals } = parsed(command, rest)
    if (values['help'] === true) {
      io.stdout.write(command.help)
      return 0
    }
    return await command.run({ values, positionals }, io)
  } catch (error) {
    return failed(command, error, io)
  }
}

const helpCommand = (rest: readonly string[], io: CommandIO): number => {
  const [name] = rest
  const command = commands.find((candidate) => candidate.name === name)
  if (name !== undefined && command === undefined) return unknownCommand(name, io)
  io.stdout.write(command?.help ?? overview)
  return 0
}

const unknownCommand = (name: string, io: CommandIO): number => {
  const names = commands.map((command) => command.name)
  const meant = nearestName(name, [...names, 'help'])
  const remedy = meant === undefined ? `it has ${names.join(', ')}.` : `did you mean 'stockpipe ${meant}'?`
  io.stderr.write(
    name.startsWith('-')
      ? `stockpipe: a command comes first, not '${name}'; see 'stockpipe --help'.\n`
      : `stockpipe has no command '${name}'; ${remedy}\n`,
  )
  return 2
}

const parsed = (command: Command, args: readonly string[]) => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    return { values: values as CommandArguments['values'], positionals }
  } catch (error) {
    const unknown = /Unknown option '--?([^']+)'/.exec((error as Error).message)?.[1]
    if (unknown === undefined)
      throw new UsageError((error as Error).message.split('. ')[0] ?? '', { cause: error })
    const meant = nearestName(unknown, [...Object.keys(command.options), 'help'])
    throw new UsageError(
      `it has no option '--${unknown}'${meant === undefined ? '' : `; did you mean '--${meant}'?`}`,
      { cause: error },
    )
  }
}

const failed = (command: Command, error: unknown, io: CommandIO): number => {
  if (error instanceof UsageError) {
    const sentence = error.message.replace(/\.$/, '')
    const end = sentence.endsWith('?') ? '' : '.'
    io.stderr.write(`stockpipe ${command.name}: ${sentence}${end} See 'stockpipe ${command.name} --help'.\n`)
    return 2
  }
  if (io.signal.aborted && error === io.signal.reason) {
    io.stderr.write(`stockpipe ${command.name}: interrupted.\n`)
    return 130
  }
  if (StockpipeError.isInstance(error)) {
    io.stderr.write(`stockpipe ${command.name}: ${error.message}\n`)
    return 1
  }
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.stderr.write(
    `stockpipe ${command.name}: an unexpected failure; please report it with what follows.\n${told}\n`,
  )
  return 1
}
