import { ServiceError } from '../http/json-service.ts'

const months = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC'
const days = 'SUN|MON|TUE|WED|THU|FRI|SAT'

/** A field of a schedule: a list of values, ranges and steps. */
interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  readonly words?: string
  /** Patterns of this field alone. */
  readonly own?: RegExp
}

const fields: readonly Field[] = [
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31, own: /^(\?|L|LW|\d{1,2}W)$/ },
  { name: 'month', min: 1, max: 12, words: months },
  { name: 'day of week', min: 1, max: 7, words: days, own: /^(\?|L|[1-7]L|[1-7]#[1-5])$/ },
  { name: 'year', min: 1970, max: 2199 },
]

/**
 * Refuses a schedule that is not `cron(minutes hours day-of-month month day-of-week year)` as Glue has it.
 *
 * @throws InvalidInputException
 */
export function checkCronExpression(expression: string): void {
  const refuse = (reason: string): never => {
    throw new ServiceError('InvalidInputException', `The schedule '${expression}' is not valid: ${reason}.`)
  }
  const inner = /^cron\((.*)\)$/.exec(expression.trim())?.[1]
  const parts = inner?.trim().split(/\s+/) ?? []
  if (inner === undefined) refuse('it must be cron(minutes hours day-of-month month day-of-week year)')
  if (parts.length !== fields.length) refuse(`it has ${parts.length} fields, not 6`)
  fields.forEach((field, at) => {
    const text = parts[at] ?? ''
    if (!isField(text, field)) refuse(`'${text}' is no ${field.name}`)
  })
  // One of both days says nothing, written as a question mark.
  if ((parts[2] === '?') === (parts[4] === '?')) {
    refuse('one of day of month and day of week must be ?, and not both')
  }
}

function isField(text: string, field: Field): boolean {
  if (field.own?.test(text.toUpperCase())) return true
  return text.split(',').every((item) => {
    const match = /^(\*|[^/-]+)(?:-([^/]+))?(?:\/(\d+))?$/.exec(item)
    if (match === null) return false
    const [, from = '', to, step] = match
    if (step !== undefined && Number(step) === 0) return false
    return (
      (from === '*' ? to === undefined : isValue(from, field)) && (to === undefined || isValue(to, field))
    )
  })
}

function isValue(text: string, { min, max, words }: Field): boolean {
  if (words !== undefined && new RegExp(`^(${words})$`, 'i').test(text)) return true
  return /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max
}
