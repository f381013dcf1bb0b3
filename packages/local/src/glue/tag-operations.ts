import type { Catalog } from './catalog.ts'
import { entityNotFound, invalidInput } from './catalog-errors.ts'
import { catalogLimits } from './catalog-limits.ts'
import { tagKeyOf } from './catalog-store.ts'
import type { GlueOperation, GlueOperations } from './glue-operations.ts'
import type { InputMembers, TextPattern } from './input-members.ts'

/** Tells of a kind of resource, such as `database`, whether there is one of a name. */
export type TaggableResources = Readonly<Record<string, (name: string) => boolean>>

export interface Tags {
  readonly operations: GlueOperations
  find(kind: string, name: string): TagMap
  /** Makes the tags a resource is created with be kept, and go with it. */
  keptFor(resource: TaggedKind, operations: GlueOperations): GlueOperations
}

export type TagMap = Readonly<Record<string, string>>

/** The operations that create a resource, by its `Name`, and delete it, by `member`. */
export interface TaggedKind {
  readonly kind: string
  readonly creation: string
  readonly deletion: string
  readonly member: string
}

const arnPattern: TextPattern = {
  test: /^arn:aws(-(cn|us-gov|iso(-[bef])?))?:glue:.*$/,
  source: 'arn:aws(-(cn|us-gov|iso(-[bef])?))?:glue:.*',
}
const tagLimits = { key: { min: 1, max: 128 }, value: { max: 256 } } as const

/** The operations on tags; they are kept by kind and name, whatever region and account an ARN names. */
export function tagOperations({ store }: Catalog, resources: TaggableResources): Tags {
  const resourceOf = (input: InputMembers): string => {
    const arn = input.string('ResourceArn', { min: 1, max: 10_240, pattern: arnPattern })
    const [, kind = '', name = ''] = /^(?:[^:]*:){5}([^/]+)\/(.+)$/s.exec(arn) ?? []
    const exists = Object.hasOwn(resources, kind) ? resources[kind] : undefined
    if (exists === undefined) throw invalidInput(`${arn} is no resource that can have tags.`)
    if (!exists(name)) throw entityNotFound(`${arn} not found.`)
    return tagKeyOf(kind, name)
  }
  const tagsOf = (resource: string): Readonly<Record<string, string>> => store.tags.get(resource) ?? {}
  return {
    operations: {
      GetTags(input) {
        return { Tags: tagsOf(resourceOf(input)) }
      },
      TagResource(input) {
        const resource = resourceOf(input)
        const tags = { ...tagsOf(resource), ...tagsIn(input, 'TagsToAdd') }
        refuseMany(tags)
        store.commit(['tags', resource, tags])
        return {}
      },
      UntagResource(input) {
        const resource = resourceOf(input)
        const removed = input.strings('TagsToRemove', { max: 50 }, tagLimits.key)
        const kept = Object.entries(tagsOf(resource)).filter(([key]) => !removed.includes(key))
        store.commit(['tags', resource, Object.fromEntries(kept)])
        return {}
      },
    },
    find: (kind, name) => tagsOf(tagKeyOf(kind, name)),
    keptFor({ kind, creation, deletion, member }, operations) {
      const create = operations[creation]
      const remove = operations[deletion]
      if (create === undefined || remove === undefined) return operations
      const createWithTags: GlueOperation = (input) => {
        const tags = tagsIn(input, 'Tags')
        const answer = create(input)
        const resource = tagKeyOf(kind, input.string('Name'))
        if (Object.keys(tags).length > 0) store.commit(['tags', resource, tags])
        return answer
      }
      const removeWithTags: GlueOperation = (input) => {
        const answer = remove(input)
        const resource = tagKeyOf(kind, input.string(member))
        if (store.tags.has(resource)) store.commit(['tags', resource, {}])
        return answer
      }
      return { ...operations, [creation]: createWithTags, [deletion]: removeWithTags }
    },
  }
}

/** Answers for a request with `Tags` whether a resource has all of them. */
export function taggedAs(input: InputMembers, tagsOf: (name: string) => TagMap): (name: string) => boolean {
  const wanted = Object.entries(tagsIn(input, 'Tags'))
  return (name) => wanted.every(([key, value]) => tagsOf(name)[key] === value)
}

/** Reads a map of tags; a member left out gives none. */
export function tagsIn(input: InputMembers, member: string): Readonly<Record<string, string>> {
  const tags = input.optionalStringMap(member, tagLimits) ?? {}
  const reserved = Object.keys(tags).find((key) => /^aws:/i.test(key))
  if (reserved !== undefined) throw invalidInput(`The tag ${reserved} begins with aws:, which is reserved.`)
  refuseMany(tags)
  return tags
}

function refuseMany(tags: Readonly<Record<string, string>>): void {
  const { tagsPerResource } = catalogLimits
  if (Object.keys(tags).length <= tagsPerResource) return
  throw invalidInput(`A resource can have ${tagsPerResource} tags at most.`)
}
