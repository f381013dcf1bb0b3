import { createHash, createHmac } from 'node:crypto'
import { request } from 'node:http'
import type { ObjectStoreSubject } from './object-store.ts'

/** A request spelled out by hand, for what the SDK hides or never sends. */
export interface RawRequest {
  /** Default GET. */
  readonly method?: string
  /** The path as it is sent: percent-encoded. */
  readonly path: string
  /** Parameters in the order of their names. */
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The value of `x-amz-content-sha256`. Default: the hash of the body. */
  readonly payloadHash?: string
  /** The time it is signed at. Default: now. */
  readonly signedAt?: Date
}

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Sends a request as it stands, unsigned. */
export const sendUnsigned = (subject: ObjectStoreSubject, raw: RawRequest): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(subject.endpoint)
    const { method = 'GET', body = '' } = raw
    const query = queryText(raw)
    const outgoing = request(
      {
        hostname,
        port,
        method,
        path: query === '' ? raw.path : `${raw.path}?${query}`,
        headers: {
          ...(method === 'PUT' || method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {}),
          ...raw.headers,
        },
        agent: false,
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode!,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })

const queryText = ({ query = {} }: RawRequest) =>
  Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&')

/** The request with the headers of AWS Signature Version 4, as AWS documents it. */
export const signed = (subject: ObjectStoreSubject, raw: RawRequest): RawRequest => {
  const { method = 'GET', body = '', signedAt = new Date() } = raw
  const payloadHash = raw.payloadHash ?? sha256Hex(body)
  const time = signedAt.toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = [time.slice(0, 8), subject.region, 's3', 'aws4_request']
  const headers: Record<string, string> = {
    host: new URL(subject.endpoint).host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': time,
    ...raw.headers,
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    method,
    raw.path,
    queryText(raw),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n')
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${subject.secretAccessKey}`)
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256Hex(canonical)].join('\n')
  const signature = hmac(key, toSign).toString('hex')
  const credential = [subject.accessKeyId, ...scope].join('/')
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...raw, headers: { ...headers, authorization } }
}

/** Signs a request and sends it. */
export const sendSigned = (subject: ObjectStoreSubject, raw: RawRequest): Promise<RawAnswer> =>
  sendUnsigned(subject, signed(subject, raw))

/** The `Code` of an answer that is an S3 error document. */
export const codeOf = ({ body }: Pick<RawAnswer, 'body'>): string | undefined =>
  /^<\?xml [^>]*>\s*<Error>.*?<Code>(\w+)<\/Code>/s.exec(body)?.[1]
