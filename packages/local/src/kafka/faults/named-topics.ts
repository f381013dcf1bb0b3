import type { ApiName } from '../protocol/api-table.ts'

/** Where requests and answers list the topics they are about; both lists may hold other resources as well. */
const topicLists: Partial<Record<ApiName, { readonly request: string; readonly response: string }>> = {
  produce: { request: 'topics', response: 'topics' },
  fetch: { request: 'topics', response: 'topics' },
  listOffsets: { request: 'topics', response: 'topics' },
  metadata: { request: 'topics', response: 'topics' },
  offsetCommit: { request: 'topics', response: 'topics' },
  offsetFetch: { request: 'topics', response: 'topics' },
  createTopics: { request: 'topics', response: 'topics' },
  deleteTopics: { request: 'topicNames', response: 'topics' },
  deleteRecords: { request: 'topics', response: 'topics' },
  offsetForLeaderEpoch: { request: 'topics', response: 'topics' },
  addPartitionsToTransaction: { request: 'topics', response: 'topics' },
  transactionOffsetCommit: { request: 'topics', response: 'topics' },
  describeConfigs: { request: 'resources', response: 'resources' },
  alterConfigs: { request: 'resources', response: 'resources' },
  createPartitions: { request: 'topics', response: 'topics' },
  incrementalAlterConfigs: { request: 'resources', response: 'resources' },
}

type Message = Readonly<Record<string, unknown>>

/** The topic one element of such a list is about. */
const topicOf = (element: unknown): string | undefined => {
  if (typeof element === 'string') return element
  const { name, resourceType, resourceName } = element as Record<string, unknown>
  return (resourceType === 2 ? resourceName : name) as string | undefined
}

const elementsOf = (api: ApiName, request: unknown): readonly unknown[] => {
  const field = topicLists[api]?.request
  return field === undefined ? [] : (((request as Message)[field] ?? []) as readonly unknown[])
}

/** Whether requests of the API say which topics they are about. */
export const namesTopics = (api: ApiName): boolean => topicLists[api] !== undefined

/** The request, where it asks for the metadata of all topics as if it named each of them. */
export const withTopicNames = (
  api: ApiName,
  request: unknown,
  apiVersion: number,
  topicNames: () => string[],
): unknown => {
  if (api !== 'metadata') return request
  const { topics } = request as { topics: readonly string[] | null }
  const asksForAll = topics === null || (apiVersion === 0 && topics.length === 0)
  return asksForAll ? { ...(request as Message), topics: topicNames() } : request
}

/** Whether the request names the topic; without a topic, whether it names anything at all. */
export const isAbout = (api: ApiName, request: unknown, topic?: string): boolean => {
  const elements = elementsOf(api, request)
  // Without names it asks for all offsets of a group, and has a place for an error beside the topics.
  if (api === 'offsetFetch' && topic === undefined) return true
  return topic === undefined ? elements.length > 0 : elements.some((element) => topicOf(element) === topic)
}

/** The request as it would be for the elements of that topic alone, and without them. */
export const splitByTopic = (
  api: ApiName,
  request: unknown,
  topic: string,
): { about: unknown; others: unknown; hasOthers: boolean } => {
  const elements = elementsOf(api, request)
  const others = elements.filter((element) => topicOf(element) !== topic)
  const withElements = (kept: readonly unknown[]) => ({
    ...(request as Message),
    [topicLists[api]!.request]: kept,
  })
  return {
    about: withElements(elements.filter((element) => topicOf(element) === topic)),
    others: withElements(others),
    hasOthers: others.length > 0,
  }
}

/** The answer about the other topics, with the elements of `about` in it. */
export const mergeAnswers = (api: ApiName, about: unknown, others: unknown): unknown => {
  const field = topicLists[api]!.response
  const elements = [about, others].flatMap((answer) => (answer as Message)[field] as readonly unknown[])
  return { ...(others as Message), [field]: elements }
}
