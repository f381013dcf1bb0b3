import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import { AppendLog } from '../glue/append-log.ts'
import { unsupportedMember, withoutUndefined } from '../glue/definition-input.ts'
import { parseLocation } from '../glue/hive-path.ts'
import type { InputMembers } from '../glue/input-members.ts'
import { invalidRequest } from './athena-error.ts'
import { engineVersion } from './query-execution.ts'

/** A work group's settings; sizes in bytes, times in seconds since the epoch. */
export interface WorkGroup {
  readonly name: string
  readonly description?: string
  readonly state: 'ENABLED' | 'DISABLED'
  readonly creationTime: number
  readonly outputLocation?: string
  /** True: the work group's settings win over the query's. */
  readonly enforced: boolean
  readonly bytesScannedCutoff?: number
  readonly metricsPublished: boolean
  /** True: results are kept by the service for a day, and in no bucket. */
  readonly managedResults?: boolean
}

type WorkGroupEntry = readonly ['work-group', WorkGroup] | readonly ['drop-work-group', string]

const nameLimits = { min: 1, max: 128 } as const
const refusedSettings = [
  'AdditionalConfiguration',
  'ExecutionRole',
  'MonitoringConfiguration',
  'EngineConfiguration',
  'CustomerContentEncryptionConfiguration',
  'IdentityCenterConfiguration',
  'QueryResultsS3AccessGrantsConfiguration',
]

/** Work groups, kept in a log; `primary` is always there. */
export class WorkGroups {
  readonly #groups = new Map<string, WorkGroup>()
  readonly #log: AppendLog<WorkGroupEntry>

  constructor(dataDirectory: string, durability: Durability) {
    this.#log = AppendLog.open<WorkGroupEntry>(
      join(dataDirectory, 'work-groups.log'),
      (entry) => this.#apply(entry),
      durability,
    )
    if (this.#groups.has('primary')) return
    const creationTime = Date.now() / 1000
    this.#commit([
      'work-group',
      { name: 'primary', state: 'ENABLED', creationTime, enforced: false, metricsPublished: false },
    ])
  }

  /** The work group, or an InvalidRequestException. */
  require(name: string): WorkGroup {
    const group = this.#groups.get(name)
    if (group === undefined) throw invalidRequest(`WorkGroup ${name} is not found.`)
    return group
  }

  find(name: string): WorkGroup | undefined {
    return this.#groups.get(name)
  }

  list(): readonly WorkGroup[] {
    return [...this.#groups.values()].sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** CreateWorkGroup; answers the name. */
  create(input: InputMembers): string {
    const name = input.string('Name', nameLimits)
    if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
      throw invalidRequest(`The WorkGroup name ${name} is not valid: it must match [a-zA-Z0-9._-]{1,128}`)
    }
    if (this.#groups.has(name)) throw invalidRequest('WorkGroup is already created')
    const settings = input.optionalObject('Configuration')
    const created: WorkGroup = {
      name,
      state: 'ENABLED',
      creationTime: Date.now() / 1000,
      enforced: true,
      metricsPublished: false,
    }
    this.#commit([
      'work-group',
      changed(created, input, settings, settings?.optionalObject('ResultConfiguration')),
    ])
    return name
  }

  /** UpdateWorkGroup. */
  update(input: InputMembers): void {
    const group = this.require(input.string('WorkGroup', nameLimits))
    const settings = input.optionalObject('ConfigurationUpdates')
    const results = settings?.optionalObject('ResultConfigurationUpdates')
    const state = input.optionalEnum('State', ['ENABLED', 'DISABLED']) ?? group.state
    this.#commit(['work-group', changed({ ...group, state }, input, settings, results)])
  }

  /** DeleteWorkGroup; `primary` stays. */
  delete(input: InputMembers): void {
    const group = this.require(input.string('WorkGroup', nameLimits))
    if (group.name === 'primary') throw invalidRequest('The primary WorkGroup cannot be deleted.')
    this.#commit(['drop-work-group', group.name])
  }

  close(): void {
    this.#log.close()
  }

  #commit(entry: WorkGroupEntry): void {
    this.#log.append(entry)
    this.#apply(entry)
    this.#log.compactWhenGrown(() =>
      [...this.#groups.values()].map((group) => ['work-group', group] as const),
    )
  }

  #apply(entry: WorkGroupEntry): void {
    if (entry[0] === 'work-group') this.#groups.set(entry[1].name, entry[1])
    else this.#groups.delete(entry[1])
  }
}

function changed(
  group: WorkGroup,
  input: InputMembers,
  settings: InputMembers | undefined,
  results: InputMembers | undefined,
): WorkGroup {
  settings?.refuse(refusedSettings, unsupportedMember)
  const managed =
    settings?.optionalObject('ManagedQueryResultsConfiguration') ??
    settings?.optionalObject('ManagedQueryResultsConfigurationUpdates')
  managed?.refuse(['EncryptionConfiguration'], unsupportedMember)
  results?.refuse(['EncryptionConfiguration', 'AclConfiguration'], unsupportedMember)
  const version = settings?.optionalObject('EngineVersion')?.optionalString('SelectedEngineVersion')
  if (version !== undefined && version !== 'AUTO' && version !== engineVersion.EffectiveEngineVersion) {
    throw unsupportedMember(`EngineVersion ${version}`)
  }
  const location = results?.optionalString('OutputLocation')
  if (location !== undefined && parseLocation(location) === undefined) {
    throw invalidRequest(`outputLocation is not a valid S3 path: ${location}`)
  }
  const managedResults = managed?.optionalBoolean('Enabled') ?? group.managedResults
  if (managedResults === true && location !== undefined) {
    throw invalidRequest('A WorkGroup with managed query results has no OutputLocation.')
  }
  const keepLocation = results?.optionalBoolean('RemoveOutputLocation') !== true
  const keepCutoff = settings?.optionalBoolean('RemoveBytesScannedCutoffPerQuery') !== true
  return withoutUndefined({
    ...group,
    description: input.optionalString('Description', { max: 1024 }) ?? group.description,
    outputLocation: location ?? (keepLocation && managedResults !== true ? group.outputLocation : undefined),
    managedResults,
    enforced: settings?.optionalBoolean('EnforceWorkGroupConfiguration') ?? group.enforced,
    metricsPublished: settings?.optionalBoolean('PublishCloudWatchMetricsEnabled') ?? group.metricsPublished,
    bytesScannedCutoff:
      settings?.optionalInteger('BytesScannedCutoffPerQuery', { min: 10_000_000 }) ??
      (keepCutoff ? group.bytesScannedCutoff : undefined),
  })
}

/** The WorkGroup structure of the API. */
export function workGroupOutput(group: WorkGroup) {
  return {
    Name: group.name,
    State: group.state,
    Description: group.description,
    CreationTime: group.creationTime,
    Configuration: {
      ResultConfiguration: { OutputLocation: group.outputLocation },
      ManagedQueryResultsConfiguration: { Enabled: group.managedResults ?? false },
      EnforceWorkGroupConfiguration: group.enforced,
      PublishCloudWatchMetricsEnabled: group.metricsPublished,
      BytesScannedCutoffPerQuery: group.bytesScannedCutoff,
      RequesterPaysEnabled: false,
      EngineVersion: engineVersion,
    },
  }
}
