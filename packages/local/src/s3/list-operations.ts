import { encodeUriComponent } from '../http/signature-v4.ts'
import type { ListedObject } from './bucket.ts'
import { quoted, xmlTime } from './object-headers.ts'
import type { ObjectIndex } from './object-index.ts'
import { endXml, objectsOf, type S3Call, wholeNumber } from './s3-call.ts'
import { invalidArgument } from './s3-error.ts'
import { element, group, owner, s3Document } from './s3-xml.ts'
import { compareUtf8 } from './utf8-order.ts'

/** One page of keys and of prefixes that stand for many. */
interface ListPage {
  readonly keys: readonly string[]
  readonly commonPrefixes: readonly string[]
  /** The last key or prefix of the page. */
  readonly last: string | undefined
  readonly isTruncated: boolean
}

const pageLimit = 1_000

/** Takes a page of what begins with `prefix` and lies after `after`. */
export const takePage = (
  index: ObjectIndex,
  options: { prefix: string; delimiter: string; after: string; maxKeys: number },
): ListPage => {
  const { prefix, delimiter, after, maxKeys } = options
  const keys: string[] = []
  const commonPrefixes: string[] = []
  let last: string | undefined
  if (maxKeys === 0) return { keys, commonPrefixes, last, isTruncated: false }
  let position = Math.max(index.lowerBound(prefix), after === '' ? 0 : index.upperBound(after))
  for (;;) {
    const key = index.keyAt(position)
    if (!key?.startsWith(prefix)) return { keys, commonPrefixes, last, isTruncated: false }
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = end < 0 ? undefined : key.slice(0, end + delimiter.length)
    if (common !== undefined && after !== '' && compareUtf8(common, after) <= 0) {
      position = index.afterPrefix(common)
      continue
    }
    if (keys.length + commonPrefixes.length === maxKeys)
      return { keys, commonPrefixes, last, isTruncated: true }
    if (common === undefined) keys.push(key)
    else commonPrefixes.push(common)
    last = common ?? key
    position = common === undefined ? position + 1 : index.afterPrefix(common)
  }
}

/** How names are written in the answer: as they are, or percent-encoded when `encoding-type=url` asks for it. */
export const nameWriter = (call: S3Call): ((name: string | undefined) => string | undefined) => {
  const encoding = call.query.get('encoding-type')
  if (encoding === undefined) return (name) => name
  if (encoding !== 'url') {
    throw invalidArgument('encoding-type', encoding, 'Invalid Encoding Method specified in Request')
  }
  return (name) => name?.split('/').map(encodeUriComponent).join('/')
}

const contents = (
  objects: readonly ListedObject[],
  write: (name: string) => string | undefined,
  withOwner: boolean,
) =>
  objects.map((object) =>
    group(
      'Contents',
      element('Key', write(object.key)),
      element('LastModified', xmlTime(object.modifiedMillis)),
      element('ETag', quoted(object.etag)),
      element('Size', object.size),
      withOwner ? owner : '',
      element('StorageClass', 'STANDARD'),
    ),
  )

const tokenPrefix = 'k1.'
const tokenOf = (last: string): string => tokenPrefix + Buffer.from(last).toString('base64url')

const readToken = (token: string): string => {
  if (!token.startsWith(tokenPrefix)) {
    throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
  }
  return Buffer.from(token.slice(tokenPrefix.length), 'base64url').toString('utf8')
}

const answerPage = async (call: S3Call, after: string) => {
  const objects = await objectsOf(call)
  const write = nameWriter(call)
  const prefix = call.query.get('prefix') ?? ''
  const delimiter = call.query.get('delimiter') ?? ''
  const maxKeys = Math.min(wholeNumber(call, 'max-keys', pageLimit), pageLimit)
  const page = takePage(await objects.index(), { prefix, delimiter, after, maxKeys })
  const common = [
    element('Name', call.bucket),
    element('Prefix', write(prefix) ?? ''),
    element('Delimiter', delimiter === '' ? undefined : write(delimiter)),
    element('MaxKeys', maxKeys),
    element('EncodingType', call.query.get('encoding-type')),
    element('IsTruncated', page.isTruncated),
    ...page.commonPrefixes.map((name) => group('CommonPrefixes', element('Prefix', write(name)))),
  ]
  return { page, write, common, listed: await objects.describe(page.keys), delimiter }
}

export const listObjectsV2 = async (call: S3Call): Promise<void> => {
  const token = call.query.get('continuation-token')
  const startAfter = call.query.get('start-after')
  const after = token === undefined ? (startAfter ?? '') : readToken(token)
  const { page, write, common, listed } = await answerPage(call, after)
  await endXml(
    call,
    s3Document(
      'ListBucketResult',
      ...common,
      element('KeyCount', listed.length + page.commonPrefixes.length),
      element('StartAfter', write(startAfter)),
      element('ContinuationToken', token),
      element('NextContinuationToken', page.isTruncated && page.last ? tokenOf(page.last) : undefined),
      ...contents(listed, write, call.query.get('fetch-owner') === 'true'),
    ),
  )
}

export const listObjects = async (call: S3Call): Promise<void> => {
  const marker = call.query.get('marker') ?? ''
  const { page, write, common, listed, delimiter } = await answerPage(call, marker)
  await endXml(
    call,
    s3Document(
      'ListBucketResult',
      ...common,
      element('Marker', write(marker)),
      element('NextMarker', page.isTruncated && delimiter !== '' ? write(page.last) : undefined),
      ...contents(listed, write, true),
    ),
  )
}
