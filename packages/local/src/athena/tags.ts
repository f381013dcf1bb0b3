import { join } from 'node:path'
import type { Durability } from '../durability.ts'
import type { InputMembers } from '../glue/input-members.ts'
import { pageByName } from '../glue/page-token.ts'
import { ServiceError } from '../http/json-service.ts'
import { invalidRequest } from './athena-error.ts'
import { type AthenaOperations, catalogName } from './athena-operations.ts'
import { KeyedLog } from './keyed-log.ts'
import type { WorkGroups } from './work-groups.ts'

type TagMap = Readonly<Record<string, string>>

const mostTags = 50

/** Tags of work groups and of the data catalog, kept in a log by `workgroup/<name>` or `datacatalog/<name>`. */
export class Tags {
  readonly #log: KeyedLog<TagMap>

  constructor(dataDirectory: string, durability: Durability) {
    this.#log = new KeyedLog(join(dataDirectory, 'tags.log'), durability)
  }

  get(resource: string): TagMap {
    return this.#log.get(resource) ?? {}
  }

  /** Adds tags, those of the same key replaced. */
  add(resource: string, tags: TagMap): void {
    const all = { ...this.get(resource), ...tags }
    refuseMany(all)
    this.#log.set(resource, all)
  }

  remove(resource: string, keys: readonly string[]): void {
    const left = Object.entries(this.get(resource)).filter(([key]) => !keys.includes(key))
    this.#log.set(resource, Object.fromEntries(left))
  }

  /** Removes what a resource that is deleted leaves. */
  deleteAll(resource: string): void {
    this.#log.delete(resource)
  }

  close(): void {
    this.#log.close()
  }
}

/** Reads a list of tags; more than a resource can have are refused. */
export function tagsOf(input: InputMembers): TagMap {
  const given = input.optionalObjects('Tags') ?? []
  const tags = Object.fromEntries(
    given.map((tag) => [
      tag.string('Key', { min: 1, max: 128 }),
      tag.optionalString('Value', { max: 256 }) ?? '',
    ]),
  )
  refuseMany(tags)
  return tags
}

function refuseMany(tags: TagMap): void {
  if (Object.keys(tags).length <= mostTags) return
  throw invalidRequest(`A resource can have ${mostTags} tags at most`)
}

/** TagResource and its like. */
export function tagOperations(tags: Tags, workGroups: WorkGroups): AthenaOperations {
  const resourceOf = (input: InputMembers): string => {
    const arn = input.string('ResourceARN', { min: 1, max: 1011 })
    const [, kind = '', name = ''] =
      /^arn:[^:]+:athena:[^:]*:[^:]*:(workgroup|datacatalog)\/(.+)$/.exec(arn) ?? []
    const isKnown = kind === 'workgroup' ? workGroups.find(name) !== undefined : name === catalogName
    if (kind === '') throw invalidRequest(`${arn} is not the ARN of a work group or a data catalog`)
    if (isKnown) return `${kind}/${name}`
    throw new ServiceError('ResourceNotFoundException', `${arn} was not found`, {
      members: { ResourceName: arn },
    })
  }
  return {
    TagResource(input) {
      const resource = resourceOf(input)
      input.objects('Tags')
      tags.add(resource, tagsOf(input))
      return {}
    },
    UntagResource(input) {
      tags.remove(resourceOf(input), input.strings('TagKeys', {}, { min: 1, max: 128 }))
      return {}
    },
    ListTagsForResource(input) {
      const entries = Object.entries(tags.get(resourceOf(input))).sort(([left], [right]) =>
        left < right ? -1 : 1,
      )
      const page = pageByName(entries, {
        nameOf: ([key]) => key,
        limit: input.optionalInteger('MaxResults', { min: 75 }) ?? 75,
        token: input.optionalString('NextToken', { min: 1, max: 1024 }),
        errorName: 'InvalidRequestException',
      })
      return {
        Tags: page.items.map(([Key, Value]) => ({ Key, Value })),
        NextToken: page.nextToken,
      }
    },
  }
}
