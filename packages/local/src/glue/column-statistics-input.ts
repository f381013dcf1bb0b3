import { invalidInput } from './catalog-errors.ts'
import type { ColumnStatistics } from './catalog-model.ts'
import { nameLimits, singleLine } from './definition-input.ts'
import type { InputMembers } from './input-members.ts'

const types = ['BOOLEAN', 'DATE', 'DECIMAL', 'DOUBLE', 'LONG', 'STRING', 'BINARY'] as const

const nullsAndDistinct = ['NumberOfNulls', 'NumberOfDistinctValues'] as const

/** The counts that the statistics of each type must have. */
const countsOf: Readonly<Record<(typeof types)[number], readonly string[]>> = {
  BOOLEAN: ['NumberOfTrues', 'NumberOfFalses', 'NumberOfNulls'],
  DATE: nullsAndDistinct,
  DECIMAL: nullsAndDistinct,
  DOUBLE: nullsAndDistinct,
  LONG: nullsAndDistinct,
  STRING: ['MaximumLength', ...nullsAndDistinct],
  BINARY: ['MaximumLength', 'NumberOfNulls'],
}

/** Reads a ColumnStatistics. */
export function columnStatistics(input: InputMembers): ColumnStatistics {
  const data = input.object('StatisticsData')
  const type = data.enumeration('Type', types)
  const member = `${type.charAt(0)}${type.slice(1).toLowerCase()}ColumnStatisticsData`
  const own = data.optionalObject(member)
  if (own === undefined) {
    throw invalidInput(`Column statistics of the type ${type} must have the member ${member}.`)
  }
  return {
    ColumnName: input.string('ColumnName', nameLimits).toLowerCase(),
    ColumnType: input.string('ColumnType', { max: 20_000, pattern: singleLine }),
    AnalyzedTime: input.number('AnalyzedTime'),
    StatisticsData: { Type: type, [member]: statisticsOf(own, type) },
  }
}

function statisticsOf(input: InputMembers, type: (typeof types)[number]): Readonly<Record<string, unknown>> {
  const counts = countsOf[type].map((name) => [name, input.integer(name, { min: 0 })] as const)
  const others: (readonly [string, unknown])[] = []
  if (type === 'STRING' || type === 'BINARY') {
    others.push(['AverageLength', input.number('AverageLength', { min: 0 })])
  } else if (type !== 'BOOLEAN') {
    for (const name of ['MinimumValue', 'MaximumValue']) {
      if (!input.has(name)) continue
      others.push([name, bound(input, name, type)])
    }
  }
  return Object.fromEntries([...others, ...counts])
}

function bound(input: InputMembers, name: string, type: (typeof types)[number]): unknown {
  if (type === 'LONG') return input.integer(name)
  if (type !== 'DECIMAL') return input.number(name)
  const decimal = input.object(name)
  return { UnscaledValue: decimal.string('UnscaledValue', {}), Scale: decimal.integer('Scale') }
}
