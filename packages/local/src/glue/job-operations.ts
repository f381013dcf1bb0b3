import { ServiceError } from '../http/json-service.ts'
import { foundOf } from './batch-get.ts'
import { nameLimits } from './definition-input.ts'
import type { GlueOperations } from './glue-operations.ts'
import type { InputMembers } from './input-members.ts'
import { jobDefinition, jobRunSettings } from './job-definition.ts'
import type { JobRegistry } from './job-registry.ts'
import { pageByName, pageNewestFirst } from './page-token.ts'
import { type TagMap, taggedAs } from './tag-operations.ts'

/** The operations on jobs and their runs. */
export function jobOperations(
  registry: JobRegistry,
  tagsOf: (name: string) => TagMap = () => ({}),
): GlueOperations {
  const named = (input: InputMembers): string => input.string('JobName', nameLimits)
  const page = (input: InputMembers, jobs = registry.list()) =>
    pageByName(jobs, {
      nameOf: (job) => job.Name,
      limit: input.optionalInteger('MaxResults', { min: 1, max: 1000 }) ?? 100,
      token: input.optionalString('NextToken'),
      errorName: 'InvalidInputException',
    })
  return {
    CreateJob(input) {
      const definition = jobDefinition(input, input.string('Name', nameLimits))
      registry.create(definition)
      return { Name: definition.Name }
    },
    UpdateJob(input) {
      const name = named(input)
      registry.update(jobDefinition(input.object('JobUpdate'), name))
      return { JobName: name }
    },
    GetJob(input) {
      return { Job: registry.require(named(input)) }
    },
    GetJobs(input) {
      const { items, nextToken } = page(input)
      return { Jobs: items, NextToken: nextToken }
    },
    ListJobs(input) {
      const isTagged = taggedAs(input, tagsOf)
      const { items, nextToken } = page(
        input,
        registry.list().filter((job) => isTagged(job.Name)),
      )
      return { JobNames: items.map((job) => job.Name), NextToken: nextToken }
    },
    BatchGetJobs(input) {
      const names = input.strings('JobNames', {}, nameLimits)
      const { found, absent } = foundOf(names, (name) => registry.find(name))
      return { Jobs: found, JobsNotFound: absent }
    },
    DeleteJob(input) {
      const name = named(input)
      registry.delete(name)
      return { JobName: name }
    },
    StartJobRun(input) {
      const previous = input.optionalString('JobRunId', nameLimits)
      return { JobRunId: registry.start(named(input), jobRunSettings(input), previous) }
    },
    GetJobRun(input) {
      return { JobRun: registry.requireRun(named(input), input.string('RunId', nameLimits)) }
    },
    GetJobRuns(input) {
      const { items, nextToken } = pageNewestFirst(registry.runs(named(input)), {
        idOf: (run) => run.Id,
        timeOf: (run) => run.StartedOn,
        limit: input.optionalInteger('MaxResults', { min: 1, max: 200 }) ?? 200,
        token: input.optionalString('NextToken'),
        errorName: 'InvalidInputException',
      })
      return { JobRuns: items, NextToken: nextToken }
    },
    BatchStopJobRun(input) {
      const name = named(input)
      const ids = input.strings('JobRunIds', { min: 1, max: 25 }, nameLimits)
      const refused = new Map(ids.map((id) => [id, stopRefusal(registry, name, id)]))
      const of = (id: string) => ({ JobName: name, JobRunId: id })
      return {
        SuccessfulSubmissions: ids.filter((id) => refused.get(id) === undefined).map(of),
        Errors: ids.flatMap((id) => {
          const ErrorDetail = refused.get(id)
          return ErrorDetail === undefined ? [] : [{ ...of(id), ErrorDetail }]
        }),
      }
    },
    ResetJobBookmark: refuseBookmark,
    GetJobBookmark: refuseBookmark,
  }
}

/** Stops a run; answers why it could not be. */
function stopRefusal(registry: JobRegistry, name: string, id: string) {
  const run = registry.findRun(name, id)
  if (run === undefined) {
    return { ErrorCode: 'EntityNotFoundException', ErrorMessage: `Job run with id: ${id} not found.` }
  }
  if (registry.stop(run)) return undefined
  return {
    ErrorCode: 'InvalidInputException',
    ErrorMessage: `Job run with id: ${id} is ${run.JobRunState} and cannot be stopped.`,
  }
}

function refuseBookmark(): never {
  throw new ServiceError(
    'UnsupportedOperationException',
    'Job bookmarks are not supported: the local stack does not have them.',
  )
}
