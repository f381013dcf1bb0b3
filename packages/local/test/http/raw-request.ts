import { request } from 'node:http'
import {
  canonicalPath,
  canonicalRequest,
  scopeText,
  sha256Hex,
  signingKey,
  signText,
  stringToSign,
} from '../../src/http/signature-v4.ts'
import type { LocalStack } from '../../src/local-stack.ts'

export interface RawRequest {
  readonly method?: string
  readonly path?: string
  readonly query?: readonly (readonly [string, string])[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly service?: string
  readonly payloadHash?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly at?: Date
  /** Headers that are sent and not signed. */
  readonly unsigned?: Readonly<Record<string, string>>
}

export interface RawAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** `yyyymmddThhmmssZ`. */
export const basicTime = (at: Date): string => at.toISOString().replace(/[-:]|\.\d+/g, '')

/** Sends a request as it stands, with nobody's help. */
export const send = (
  stack: Pick<LocalStack, 'aws'>,
  options: {
    method: string
    target: string
    headers: Readonly<Record<string, string>>
    body?: string | Buffer
  },
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(stack.aws.endpoint)
    const { method, target, headers, body } = options
    const outgoing = request({ hostname, port, method, path: target, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          statusCode: incoming.statusCode!,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })

/** What signing a request by hand leaves: all that is needed to send it, and to sign chunks after it. */
export const sign = (stack: Pick<LocalStack, 'aws'>, raw: RawRequest) => {
  const { method = 'GET', path = '/', query = [], body = '', service = 's3', at = new Date() } = raw
  const payloadHash = raw.payloadHash ?? sha256Hex(body)
  const timestamp = basicTime(at)
  const scope = { date: timestamp.slice(0, 8), region: stack.aws.region, service }
  const headers: Record<string, string> = {
    host: new URL(stack.aws.endpoint).host,
    'x-amz-date': timestamp,
    ...(service === 's3' ? { 'x-amz-content-sha256': payloadHash } : {}),
    ...raw.headers,
  }
  const signedHeaders = Object.keys(headers).sort()
  const canonical = canonicalRequest({
    method,
    canonicalPath: canonicalPath(path, service),
    query,
    signedHeaders,
    headers: new Map(Object.entries(headers)),
    payloadHash,
  })
  const key = signingKey(raw.secretAccessKey ?? stack.aws.secretAccessKey, scope)
  const signature = signText(key, stringToSign(timestamp, scope, canonical))
  const authorization = `AWS4-HMAC-SHA256 Credential=${raw.accessKeyId ?? stack.aws.accessKeyId}/${scopeText(scope)}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  const search = query
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  return {
    method,
    target: search === '' ? path : `${path}?${search}`,
    headers: {
      ...headers,
      ...raw.unsigned,
      authorization,
      ...(method === 'GET' || method === 'HEAD' ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    } as Record<string, string>,
    body,
    key,
    scope,
    timestamp,
    signature,
  }
}

/** Signs a request by hand and sends it. */
export const sendSigned = (stack: Pick<LocalStack, 'aws'>, raw: RawRequest): Promise<RawAnswer> =>
  send(stack, sign(stack, raw))
