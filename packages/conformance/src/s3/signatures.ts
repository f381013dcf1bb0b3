import { GetObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { codeOf, type RawRequest, sendSigned, sendUnsigned, signed } from './raw-request.ts'

const minuteMillis = 60_000

export const describeSignatures = (store: ObjectStore): void => {
  describe('signatures', () => {
    const bucket = store.bucket('conformance-signatures')
    const send = async (raw: RawRequest) => {
      const answer = await sendUnsigned(store.subject, raw)
      return [answer.status, codeOf(answer)]
    }
    const path = `/${bucket.name}/signed`

    it('made by hand as AWS documents them are accepted', async () => {
      const put = await sendSigned(store.subject, { method: 'PUT', path, body: 'by hand' })
      expect(put.status).toBe(200)
      expect(await sendSigned(store.subject, { path })).toMatchObject({ status: 200, body: 'by hand' })
    })

    it('by a wrong secret are SignatureDoesNotMatch', async () => {
      const { accessKeyId } = store.subject
      const client = store.clientWith({ credentials: { accessKeyId, secretAccessKey: 'a guess' } })
      const get = new GetObjectCommand({ Bucket: bucket.name, Key: 'signed' })
      await expect(client.send(get)).rejects.toMatchObject(refusal('SignatureDoesNotMatch', 403))
      client.destroy()
    })

    it('that are missing are AccessDenied', async () => {
      expect(await send({ path })).toEqual([403, 'AccessDenied'])
    })

    it('over another path or method are SignatureDoesNotMatch', async () => {
      const good = signed(store.subject, { path })
      expect(await send({ ...good, path: `${path}-other` })).toEqual([403, 'SignatureDoesNotMatch'])
      expect(await send({ ...good, method: 'DELETE' })).toEqual([403, 'SignatureDoesNotMatch'])
    })

    it('over another body are XAmzContentSHA256Mismatch, and nothing is written', async () => {
      const good = signed(store.subject, { method: 'PUT', path: `${path}-body`, body: 'sent' })
      expect(await send({ ...good, body: 'SENT' })).toEqual([400, 'XAmzContentSHA256Mismatch'])
      await expect(bucket.head('signed-body')).rejects.toMatchObject(refusal('NotFound', 404))
    })

    it('more than 15 minutes old or ahead are RequestTimeTooSkewed', async () => {
      const at = (minutes: number) =>
        send(signed(store.subject, { path, signedAt: new Date(Date.now() + minutes * minuteMillis) }))
      await bucket.put('signed', 'x')
      expect(await at(-14)).toEqual([200, undefined])
      expect(await at(14)).toEqual([200, undefined])
      expect(await at(-16)).toEqual([403, 'RequestTimeTooSkewed'])
      expect(await at(16)).toEqual([403, 'RequestTimeTooSkewed'])
    })

    it('with nonsense for the hash of the body are InvalidArgument', async () => {
      const answer = await sendSigned(store.subject, {
        method: 'PUT',
        path,
        payloadHash: 'nonsense',
        body: 'x',
      })
      expect([answer.status, codeOf(answer)]).toEqual([400, 'InvalidArgument'])
    })

    it('of a body that is not signed are accepted with UNSIGNED-PAYLOAD', async () => {
      const raw = { method: 'PUT', path: `${path}-unsigned`, payloadHash: 'UNSIGNED-PAYLOAD', body: 'any' }
      expect((await sendSigned(store.subject, raw)).status).toBe(200)
      expect(await bucket.text('signed-unsigned')).toBe('any')
    })
  })
}
