import { ServiceError } from '../http/json-service.ts'
import { nameLimits, unsupportedMember, withoutUndefined } from './definition-input.ts'
import { parseLocation } from './hive-path.ts'
import type { InputMembers } from './input-members.ts'

export type JobArguments = Readonly<Record<string, string>>

/** What a run and its job have in common. */
interface JobCapacity {
  readonly AllocatedCapacity?: number
  readonly MaxCapacity?: number
  readonly WorkerType?: string
  readonly NumberOfWorkers?: number
  readonly ExecutionClass?: 'FLEX' | 'STANDARD'
  /** Minutes. */
  readonly Timeout?: number
  readonly NotificationProperty?: { readonly NotifyDelayAfter?: number }
}

/** A job's settings in Glue's words. */
export interface JobDefinition extends JobCapacity {
  readonly Name: string
  readonly JobMode: 'SCRIPT'
  readonly Description?: string
  readonly LogUri?: string
  readonly Role: string
  readonly ExecutionProperty: { readonly MaxConcurrentRuns: number }
  readonly Command: {
    readonly Name: 'pythonshell' | 'glueetl'
    readonly ScriptLocation: string
    readonly PythonVersion?: string
    readonly Runtime?: string
  }
  readonly DefaultArguments?: JobArguments
  readonly NonOverridableArguments?: JobArguments
  readonly MaxRetries: number
  readonly GlueVersion?: string
}

/** What StartJobRun may set for one run. */
export interface JobRunSettings extends JobCapacity {
  readonly Arguments?: JobArguments
}

const mostTimeoutMinutes = 10_080

/** Minutes a run may take where neither it nor its job says: 2 days, from Glue 5.0 on 8 hours. */
export const defaultTimeoutMinutes = ({ GlueVersion = '' }: JobDefinition): number =>
  Number.parseFloat(GlueVersion) >= 5 ? 480 : 2_880

const refusedMembers = [
  'Connections',
  'SecurityConfiguration',
  'CodeGenConfigurationNodes',
  'SourceControlDetails',
  'MaintenanceWindow',
]

/** Reads a CreateJob request, or the JobUpdate of an UpdateJob, which replaces the whole definition. */
export function jobDefinition(input: InputMembers, name: string): JobDefinition {
  input.refuse(refusedMembers, unsupportedMember)
  refuseQueuing(input)
  const mode = input.optionalEnum('JobMode', ['SCRIPT', 'VISUAL', 'NOTEBOOK'])
  if (mode !== undefined && mode !== 'SCRIPT') throw unsupportedMember(`JobMode ${mode}`)
  const defaultArguments = input.optionalStringMap('DefaultArguments')
  const nonOverridableArguments = input.optionalStringMap('NonOverridableArguments')
  for (const given of [defaultArguments, nonOverridableArguments]) refuseArguments(given)
  const concurrent = input.optionalObject('ExecutionProperty')?.optionalInteger('MaxConcurrentRuns')
  if (concurrent !== undefined && concurrent < 1) {
    throw invalidInput('MaxConcurrentRuns must be at least 1.')
  }
  return withoutUndefined({
    Name: name,
    JobMode: 'SCRIPT' as const,
    Description: input.optionalString('Description', { max: 2048 }),
    LogUri: input.optionalString('LogUri'),
    Role: input.string('Role'),
    ExecutionProperty: { MaxConcurrentRuns: concurrent ?? 1 },
    Command: jobCommand(input.object('Command')),
    DefaultArguments: defaultArguments,
    NonOverridableArguments: nonOverridableArguments,
    MaxRetries: input.optionalInteger('MaxRetries', { min: 0, max: 10 }) ?? 0,
    GlueVersion: input.optionalString('GlueVersion', nameLimits),
    ...capacity(input),
  })
}

/** Reads what a StartJobRun request sets for its run. */
export function jobRunSettings(input: InputMembers): JobRunSettings {
  input.refuse(['SecurityConfiguration', 'ExecutionRoleSessionPolicy'], unsupportedMember)
  refuseQueuing(input)
  const given = input.optionalStringMap('Arguments')
  refuseArguments(given)
  return withoutUndefined({ Arguments: given, ...capacity(input) })
}

function refuseQueuing(input: InputMembers): void {
  if (input.optionalBoolean('JobRunQueuingEnabled') === true) throw unsupportedMember('JobRunQueuingEnabled')
}

/** Arguments that would make a run do something else than a run here does. */
function refuseArguments(given: JobArguments | undefined): void {
  const bookmark = given?.['--job-bookmark-option']
  if (bookmark !== undefined && bookmark !== 'job-bookmark-disable') {
    throw unsupportedMember(`Arguments --job-bookmark-option = ${bookmark}`)
  }
  const language = given?.['--job-language']
  if (language !== undefined && language !== 'python') {
    throw unsupportedMember(`Arguments --job-language = ${language}`)
  }
}

function jobCommand(input: InputMembers): JobDefinition['Command'] {
  const name = input.string('Name')
  if (name === 'gluestreaming' || name === 'glueray') throw unsupportedMember(`Command Name ${name}`)
  if (name !== 'pythonshell' && name !== 'glueetl') throw invalidInput(`Invalid command name ${name}`)
  const location = input.string('ScriptLocation', { max: 400_000 })
  if (parseLocation(location) === undefined) {
    throw invalidInput(`The script location '${location}' is not s3://bucket/key.`)
  }
  const pythonVersion = input.optionalString('PythonVersion')
  if (pythonVersion !== undefined && !/^([2-3]|3[.]9)$/.test(pythonVersion)) {
    throw invalidInput(`Python version ${pythonVersion} is not valid.`)
  }
  if (pythonVersion === '2') throw unsupportedMember('PythonVersion 2')
  return withoutUndefined({
    Name: name as JobDefinition['Command']['Name'],
    ScriptLocation: location,
    PythonVersion: pythonVersion,
    Runtime: input.optionalString('Runtime', { max: 64 }),
  })
}

/** Capacity is kept and answered; a run takes the machine it is on. */
function capacity(input: InputMembers) {
  const WorkerType = input.optionalString('WorkerType')
  const NumberOfWorkers = input.optionalInteger('NumberOfWorkers', { min: 1 })
  const MaxCapacity = input.optionalNumber('MaxCapacity')
  if (MaxCapacity !== undefined && (WorkerType !== undefined || NumberOfWorkers !== undefined)) {
    throw invalidInput('Please do not set Max Capacity if using Worker Type and Number of Workers.')
  }
  const Timeout = input.optionalInteger('Timeout', { min: 1 })
  if (Timeout !== undefined && Timeout > mostTimeoutMinutes) {
    throw invalidInput(
      `The Timeout of ${Timeout} minutes is more than 7 days (${mostTimeoutMinutes} minutes).`,
    )
  }
  const delay = input.optionalObject('NotificationProperty')?.optionalInteger('NotifyDelayAfter', { min: 1 })
  return {
    AllocatedCapacity: input.optionalInteger('AllocatedCapacity'),
    MaxCapacity,
    WorkerType,
    NumberOfWorkers,
    ExecutionClass: input.optionalEnum('ExecutionClass', ['FLEX', 'STANDARD']),
    Timeout,
    NotificationProperty: delay === undefined ? undefined : { NotifyDelayAfter: delay },
  }
}

const invalidInput = (message: string): ServiceError => new ServiceError('InvalidInputException', message)
