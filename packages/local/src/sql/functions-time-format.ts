import { asTimestamp, wallClock } from './cast-rules.ts'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type AnalyzedCall, constantText, type FunctionRule, takeArguments } from './function-call.ts'
import type { NativeFunction } from './native-function.ts'
import { notSupported } from './query-failure.ts'
import { type FormatElement, formatTime, jodaFormat, mysqlFormat, timeReader } from './time-format.ts'
import { daysOf, roundMicros } from './time-parsing.ts'
import { dateType, type TrinoType, timestampType, varcharType, zonedTimestampType } from './trino-type.ts'

type Dialect = (format: string) => readonly FormatElement[] | undefined

function formatOf(
  call: AnalyzedCall,
  dialect: Dialect,
): { text: string; elements: readonly FormatElement[] } {
  const text = constantText(call, call.arguments[1], 'a format')
  const elements = dialect(text)
  if (elements === undefined) throw notSupported(`${call.name} with the format '${text}'`, call.position)
  return { text, elements }
}

function writer(dialect: Dialect): FunctionRule {
  return (call) => {
    const [value] = takeArguments(call, ['datetime', varcharType])
    const { text, elements } = formatOf(call, dialect)
    const native: NativeFunction = {
      name: `${call.name}:${text}`,
      parameters: ['TIMESTAMP'],
      returns: 'VARCHAR',
      evaluate: (micros: bigint) => formatTime(micros, elements),
    }
    const wall = wallClock(asTimestamp(value!) ?? value!)
    return { type: varcharType, sql: call.session.native(native, [wall]) }
  }
}

function reader(dialect: Dialect, type: TrinoType): FunctionRule {
  return (call) => {
    const [value] = takeArguments(call, ['varchar', varcharType])
    const { text, elements } = formatOf(call, dialect)
    const read = timeReader(elements, text)
    if (read === undefined) throw notSupported(`${call.name} with the format '${text}'`, call.position)
    const native: NativeFunction = {
      name: `${call.name}:${text}`,
      parameters: ['VARCHAR'],
      returns: 'TIMESTAMP',
      // Joda counts milliseconds, and cuts what is finer.
      evaluate: (written: string) => (read(written) / 1000n) * 1000n,
    }
    return { type, sql: call.session.native(native, [value!.sql]) }
  }
}

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(?:(\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]00:00)?)?$/

const isoTimestamp: NativeFunction = {
  name: 'from_iso8601_timestamp',
  parameters: ['VARCHAR'],
  returns: 'TIMESTAMP',
  evaluate: (text: string) => {
    const match = isoPattern.exec(text)
    // Other forms and zones of the standard exist: they are not read rather than misread.
    if (match === null)
      throw new FunctionFailure(
        'NOT_SUPPORTED',
        `The embedded Athena does not read the ISO 8601 time '${text}'`,
      )
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0))
    const days = daysOf(year!, month!, day!)
    if (days === undefined || hour! > 23 || minute! > 59 || second! > 59) {
      throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', `Invalid format: "${text}"`)
    }
    const seconds = BigInt(days) * 86_400n + BigInt(hour! * 3600 + minute! * 60 + second!)
    return seconds * 1_000_000n + roundMicros(BigInt((match[7] ?? '').slice(0, 3).padEnd(3, '0')) * 1000n, 3)
  },
}

const isoDate: NativeFunction = {
  name: 'from_iso8601_date',
  parameters: ['VARCHAR'],
  returns: 'DATE',
  evaluate: (text: string) => {
    const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
    if (match === null)
      throw new FunctionFailure(
        'NOT_SUPPORTED',
        `The embedded Athena does not read the ISO 8601 date '${text}'`,
      )
    const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]))
    if (days === undefined)
      throw new FunctionFailure('INVALID_FUNCTION_ARGUMENT', `Invalid format: "${text}"`)
    return days
  },
}

export const timeFormatFunctions: Readonly<Record<string, FunctionRule>> = {
  date_format: writer(mysqlFormat),
  format_datetime: writer(jodaFormat),
  date_parse: reader(mysqlFormat, timestampType(3)),
  parse_datetime: reader(jodaFormat, zonedTimestampType(3, 'UTC')),
  from_iso8601_timestamp: (call) => {
    const [text] = takeArguments(call, ['varchar'])
    return { type: zonedTimestampType(3, 'UTC'), sql: call.session.native(isoTimestamp, [text!.sql]) }
  },
  from_iso8601_date: (call) => {
    const [text] = takeArguments(call, ['varchar'])
    return { type: dateType, sql: call.session.native(isoDate, [text!.sql]) }
  },
}
