import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  type ChecksumType,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { codeOf, sendSigned } from './raw-request.ts'

const text = '123456789'
const hash = (algorithm: string) => createHash(algorithm).update(text).digest('base64')
/** The checksums of the digits 1 to 9: the check values by which the CRC algorithms are defined. */
const known = {
  CRC32: 'y/Q5Jg==',
  CRC32C: '4waSgw==',
  CRC64NVME: 'rosUhgp5mIg=',
  MD5: hash('md5'),
  SHA1: hash('sha1'),
  SHA256: hash('sha256'),
  SHA512: hash('sha512'),
} as const
type Algorithm = keyof typeof known
const algorithms = Object.keys(known) as Algorithm[]
const ENABLED = { ChecksumMode: 'ENABLED' } as const
const spoiled = (algorithm: Algorithm) => Buffer.from(known[algorithm], 'base64').fill(0).toString('base64')

export const describeChecksums = (store: ObjectStore): void => {
  describe('checksums', () => {
    const bucket = store.bucket('conformance-checksums')
    const Bucket = bucket.name

    for (const algorithm of algorithms) {
      const member = `Checksum${algorithm}` as const

      it(`by ${algorithm} are kept, and returned to who asks for them`, async () => {
        const put = await bucket.put(algorithm, text, { [member]: known[algorithm] })
        expect(put[member]).toBe(known[algorithm])
        expect(await bucket.head(algorithm, ENABLED)).toMatchObject({
          [member]: known[algorithm],
          ChecksumType: 'FULL_OBJECT',
        })
        // By hand: the SDK throws at an answer with a checksum it cannot compute, such as SHA512.
        const { headers, body } = await sendSigned(store.subject, {
          path: `/${Bucket}/${algorithm}`,
          headers: { 'x-amz-checksum-mode': 'ENABLED' },
        })
        expect([headers[`x-amz-checksum-${algorithm.toLowerCase()}`], body]).toEqual([known[algorithm], text])
      })

      it(`by ${algorithm} that do not fit the bytes are refused, and nothing is written`, async () => {
        const Key = `${algorithm} wrong`
        const put = bucket.put(Key, text, { [member]: spoiled(algorithm) })
        await expect(put).rejects.toMatchObject(refusal('BadDigest', 400))
        await expect(bucket.head(Key)).rejects.toMatchObject(refusal('NotFound', 404))
      })
    }

    it('are computed by the client for a stream and sent in the trailer', async () => {
      for (const algorithm of ['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const) {
        const Body = Readable.from([Buffer.from(text)])
        const put = await bucket.put(`${algorithm} streamed`, Body, {
          ContentLength: text.length,
          ChecksumAlgorithm: algorithm,
        })
        expect(put[`Checksum${algorithm}`]).toBe(known[algorithm])
        // The client checks the bytes against it.
        expect(await bucket.text(`${algorithm} streamed`, ENABLED)).toBe(text)
        const head = await bucket.head(`${algorithm} streamed`, ENABLED)
        expect(head[`Checksum${algorithm}`]).toBe(known[algorithm])
      }
    })

    it('in a trailer that do not fit the bytes are refused, and nothing is written', async () => {
      const answer = await sendSigned(store.subject, {
        method: 'PUT',
        path: `/${Bucket}/trailer`,
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        headers: {
          'content-encoding': 'aws-chunked',
          'x-amz-decoded-content-length': '4',
          'x-amz-trailer': 'x-amz-checksum-crc32',
        },
        body: '4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
      })
      expect([answer.status, codeOf(answer)]).toEqual([400, 'BadDigest'])
      await expect(bucket.head('trailer')).rejects.toMatchObject(refusal('NotFound', 404))
    })

    it('are not returned to who does not ask for them', async () => {
      await bucket.put('silent', text, { ChecksumCRC32: known.CRC32 })
      expect((await bucket.head('silent')).ChecksumCRC32).toBeUndefined()
    })

    it('that the SDK adds by itself, CRC32, are kept like others', async () => {
      const put = await bucket.put('default', text)
      expect(put.ChecksumCRC32).toBe(known.CRC32)
      expect((await bucket.head('default', ENABLED)).ChecksumCRC32).toBe(known.CRC32)
    })

    it('of another length than their algorithm has are refused', async () => {
      const put = bucket.put('short', text, { ChecksumSHA256: 'AAAA' })
      await expect(put).rejects.toMatchObject(refusal('InvalidRequest', 400))
    })

    it('by two algorithms in one request are refused', async () => {
      const { CRC32: ChecksumCRC32, SHA256: ChecksumSHA256 } = known
      const put = bucket.put('two', text, { ChecksumCRC32, ChecksumSHA256 })
      await expect(put).rejects.toMatchObject(refusal('InvalidRequest', 400))
    })

    it('by Content-MD5 that are wrong, or no MD5 at all, are refused', async () => {
      const put = (ContentMD5: string) => bucket.put('md5', text, { ContentMD5 } as PutObjectCommandInput)
      const other = createHash('md5').update('other').digest('base64')
      await expect(put(other)).rejects.toMatchObject(refusal('BadDigest', 400))
      await expect(put('nonsense')).rejects.toMatchObject(refusal('InvalidDigest', 400))
      await put(createHash('md5').update(text).digest('base64'))
      expect(await bucket.text('md5')).toBe(text)
    })

    const multipart = async (Key: string, algorithm: Algorithm, ChecksumType: ChecksumType) => {
      const member = `Checksum${algorithm}` as const
      const create = { Bucket, Key, ChecksumAlgorithm: algorithm, ChecksumType }
      const created = await store.client.send(new CreateMultipartUploadCommand(create))
      expect(created).toMatchObject({ ChecksumAlgorithm: algorithm, ChecksumType })
      const { UploadId } = created
      const part = await store.client.send(
        new UploadPartCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber: 1,
          Body: text,
          [member]: known[algorithm],
        }),
      )
      expect(part[member]).toBe(known[algorithm])
      const { Parts } = await store.client.send(new ListPartsCommand({ Bucket, Key, UploadId }))
      expect(Parts?.[0]?.[member]).toBe(known[algorithm])
      const complete = (checksum: string) =>
        store.client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId,
            MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.ETag, [member]: checksum }] },
          }),
        )
      return { complete, checksum: async () => (await bucket.head(Key, ENABLED))[member] }
    }

    it('of multipart objects are made of those of their parts', async () => {
      for (const algorithm of ['CRC32', 'CRC32C', 'MD5', 'SHA1', 'SHA256', 'SHA512'] as const) {
        const upload = await multipart(`${algorithm} composite`, algorithm, 'COMPOSITE')
        const completed = await upload.complete(known[algorithm])
        expect(completed[`Checksum${algorithm}`]).toMatch(/-1$/)
        expect(await upload.checksum()).toBe(completed[`Checksum${algorithm}`])
      }
    })

    it('of multipart objects may be of the whole object', async () => {
      for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
        const upload = await multipart(`${algorithm} full`, algorithm, 'FULL_OBJECT')
        expect((await upload.complete(known[algorithm]))[`Checksum${algorithm}`]).toBe(known[algorithm])
        expect(await upload.checksum()).toBe(known[algorithm])
      }
    })

    it('of parts that are wrong when they are completed are refused', async () => {
      const upload = await multipart('completed wrong', 'CRC32', 'COMPOSITE')
      await expect(upload.complete('AAAAAA==')).rejects.toMatchObject({
        $metadata: { httpStatusCode: 400 },
      })
      await upload.complete(known.CRC32)
      expect(await bucket.text('completed wrong')).toBe(text)
    })

    it('by SHA256 cannot be of the whole of a multipart object', async () => {
      const create = new CreateMultipartUploadCommand({
        Bucket,
        Key: 'sha full',
        ChecksumAlgorithm: 'SHA256',
        ChecksumType: 'FULL_OBJECT',
      })
      await expect(store.client.send(create)).rejects.toMatchObject(refusal('InvalidRequest', 400))
    })
  })
}
