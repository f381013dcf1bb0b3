import { describe, expect, it } from 'vitest'
import {
  canonicalPath,
  canonicalRequest,
  chunkStringToSign,
  type SignedParts,
  scopeText,
  sha256Hex,
  signingKey,
  signText,
  stringToSign,
} from '../../src/http/signature-v4.ts'

// The worked examples of the S3 API reference ("Signature Calculations for the Authorization Header").
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
const scope = { date: '20130524', region: 'us-east-1', service: 's3' }
const timestamp = '20130524T000000Z'
const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const sign = (parts: Omit<SignedParts, 'headers'> & { headers: Record<string, string> }) =>
  signText(
    signingKey(secret, scope),
    stringToSign(
      timestamp,
      scope,
      canonicalRequest({ ...parts, headers: new Map(Object.entries(parts.headers)) }),
    ),
  )
const base = {
  host: 'examplebucket.s3.amazonaws.com',
  'x-amz-content-sha256': empty,
  'x-amz-date': timestamp,
}

describe("AWS's published examples of signature version 4", () => {
  it('GET Object with a range', () => {
    expect(
      sign({
        method: 'GET',
        canonicalPath: canonicalPath('/test.txt', 's3'),
        query: [],
        signedHeaders: ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'],
        headers: { ...base, range: 'bytes=0-9' },
        payloadHash: empty,
      }),
    ).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
  })

  it('PUT Object with a key that needs encoding', () => {
    const payloadHash = sha256Hex('Welcome to Amazon S3.')
    expect(
      sign({
        method: 'PUT',
        canonicalPath: canonicalPath('/test$file.text', 's3'),
        query: [],
        signedHeaders: ['date', 'host', 'x-amz-content-sha256', 'x-amz-date', 'x-amz-storage-class'],
        headers: {
          ...base,
          'x-amz-content-sha256': payloadHash,
          date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
        payloadHash,
      }),
    ).toBe('98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')
  })

  it('GET Bucket lifecycle: a parameter without a value', () => {
    expect(
      sign({
        method: 'GET',
        canonicalPath: '/',
        query: [['lifecycle', '']],
        signedHeaders: ['host', 'x-amz-content-sha256', 'x-amz-date'],
        headers: base,
        payloadHash: empty,
      }),
    ).toBe('fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543')
  })

  it('GET Bucket: parameters in order', () => {
    expect(
      sign({
        method: 'GET',
        canonicalPath: '/',
        query: [
          ['prefix', 'J'],
          ['max-keys', '2'],
        ],
        signedHeaders: ['host', 'x-amz-content-sha256', 'x-amz-date'],
        headers: base,
        payloadHash: empty,
      }),
    ).toBe('34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7')
  })

  it('a presigned URL', () => {
    expect(
      sign({
        method: 'GET',
        canonicalPath: '/test.txt',
        query: [
          ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
          ['X-Amz-Credential', `AKIAIOSFODNN7EXAMPLE/${scopeText(scope)}`],
          ['X-Amz-Date', timestamp],
          ['X-Amz-Expires', '86400'],
          ['X-Amz-SignedHeaders', 'host'],
        ],
        signedHeaders: ['host'],
        headers: { host: 'examplebucket.s3.amazonaws.com' },
        payloadHash: 'UNSIGNED-PAYLOAD',
      }),
    ).toBe('aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404')
  })

  it('chunks of a signed stream, each over the one before', () => {
    const key = signingKey(secret, scope)
    const seed = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9'
    const next = (previous: string, chunk: string) =>
      signText(key, chunkStringToSign('PAYLOAD', timestamp, scope, previous, sha256Hex(chunk)))
    const first = next(seed, 'a'.repeat(65_536))
    expect(first).toBe('ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648')
    const second = next(first, 'a'.repeat(1_024))
    expect(second).toBe('0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497')
    expect(next(second, '')).toBe('b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9')
  })
})

describe('canonical paths', () => {
  it('are encoded once for S3 and once more for other services', () => {
    expect(canonicalPath('/b/dt=../a%20b+c%25', 's3')).toBe('/b/dt%3D../a%20b%2Bc%25')
    expect(canonicalPath('/a%20b', 'glue')).toBe('/a%2520b')
    expect(canonicalPath("/!'()*", 's3')).toBe('/%21%27%28%29%2A')
  })
})
