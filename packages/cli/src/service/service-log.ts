import type { SinkLogger } from '@stockpipe/s3-sink'
import type { CommandIO } from '../command.ts'

export type LogFormat = 'text' | 'json'
type Level = 'info' | 'warn' | 'error'
/** What a line carries beside its sentence. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean | undefined>>

/** Lines of a service on stderr: a time, a level, a sentence, and fields. */
export class ServiceLog implements SinkLogger {
  readonly #write: (line: string) => void
  readonly #format: LogFormat

  constructor(stderr: CommandIO['stderr'], format: LogFormat) {
    this.#write = (line) => void stderr.write(`${line}\n`)
    this.#format = format
  }

  info(message: string, fields: LogFields = {}): void {
    this.#line('info', message, fields)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#line('warn', message, fields)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#line('error', message, fields)
  }

  #line(level: Level, message: string, fields: LogFields): void {
    const time = new Date().toISOString()
    const given = Object.entries(fields).filter(([, value]) => value !== undefined)
    if (this.#format === 'json') {
      // A bigint is no number of JSON, and must not lose digits.
      const plain = given.map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value])
      this.#write(JSON.stringify({ time, level, message, ...Object.fromEntries(plain) }))
      return
    }
    const text = given.map(([name, value]) => ` ${name}=${quoted(String(value))}`).join('')
    this.#write(`${time} ${level.padEnd(5)} ${message.replaceAll('\n', '\\n')}${text}`)
  }
}

const quoted = (text: string): string => (/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text))
