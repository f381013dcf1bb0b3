import { XMLParser } from 'fast-xml-parser'
import { malformedXml } from './s3-error.ts'

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const unsafe = /[&<>"\u0000-\u001f\u007f]/g

const escapeText = (text: string): string =>
  text.replace(unsafe, (character) => entities[character] ?? `&#x${character.charCodeAt(0).toString(16)};`)

/** One element with text; nothing at all when the value is undefined. */
export const element = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : `<${name}>${escapeText(String(value))}</${name}>`

/** One element with elements inside. */
export const group = (name: string, ...content: readonly string[]): string =>
  `<${name}>${content.join('')}</${name}>`

/** The account everything in the embedded stack belongs to. */
export const owner = group('Owner', element('ID', '000000000000'), element('DisplayName', 'stockpipe'))

/** A whole answer of S3. */
export const s3Document = (root: string, ...content: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${content.join('')}</${root}>`

const parser = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  removeNSPrefix: true,
  htmlEntities: true,
})

/** A parsed element: its text, or its children by name. */
export type XmlValue = string | { readonly [name: string]: XmlValue | readonly XmlValue[] }

/** The children of `root` in a request's body. Throws `MalformedXML`. */
export const parseS3Document = (
  body: Buffer,
  root: string,
): { readonly [name: string]: XmlValue | readonly XmlValue[] } => {
  const text = body.toString('utf8')
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw malformedXml()
  let parsed: Record<string, unknown>
  try {
    parsed = parser.parse(text, true) as Record<string, unknown>
  } catch {
    throw malformedXml()
  }
  const content = parsed[root]
  if (content === '') return {}
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw malformedXml()
  return content as { readonly [name: string]: XmlValue | readonly XmlValue[] }
}

/** The elements of one name, none, one or several. */
export const childrenNamed = (parent: XmlValue, name: string): readonly XmlValue[] => {
  if (typeof parent === 'string') return []
  const value = parent[name]
  return value === undefined
    ? []
    : Array.isArray(value)
      ? (value as readonly XmlValue[])
      : [value as XmlValue]
}

/** The text of the one element of that name; undefined when there is none. */
export const textOf = (parent: XmlValue, name: string): string | undefined => {
  const [value] = childrenNamed(parent, name)
  return typeof value === 'string' ? value : undefined
}
