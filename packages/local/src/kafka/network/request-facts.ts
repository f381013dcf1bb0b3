/** What the log tells of a message: topics it names, and errors it carries. Only looked for when somebody listens. */
const maxNames = 20

/** The topics a request names, at most 20. */
export const topicsOf = (request: unknown): string[] => {
  const { topics, topicNames } = request as { topics?: unknown; topicNames?: unknown }
  const named = Array.isArray(topics) ? topics : Array.isArray(topicNames) ? topicNames : []
  return named
    .slice(0, maxNames)
    .map((topic: unknown) => (typeof topic === 'string' ? topic : (topic as { name?: unknown } | null)?.name))
    .filter((name) => typeof name === 'string')
}

/** The different error codes in an answer, without 0 for none, in the order they come. */
export const errorCodesOf = (response: unknown): number[] => {
  const found = new Set<number>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const [name, member] of Object.entries(value)) {
        if (name === 'errorCode' && typeof member === 'number' && member !== 0) found.add(member)
        else if (typeof member === 'object') visit(member)
      }
    }
  }
  visit(response)
  return [...found]
}
