/** The same text for the same value: members in order, what is absent or empty left out. */
export const canonicalText = (value: unknown): string => {
  if (value === undefined || value === null || value === '') return ''
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return value.length === 0 ? '' : `[${value.map(canonicalText).join(',')}]`
  const members = Object.entries(value)
    .map(([name, inner]) => [name, canonicalText(inner)] as const)
    .filter(([, text]) => text !== '')
    .sort(([one], [other]) => (one < other ? -1 : 1))
  return members.length === 0 ? '' : `{${members.map(([name, text]) => `${name}:${text}`).join(',')}}`
}
