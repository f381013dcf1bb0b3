import { describe, expect, it } from 'vitest'
import { type ObjectStore, refusal } from './object-store.ts'
import { codeOf, type RawRequest, sendSigned, sendUnsigned, signed } from './raw-request.ts'

/** A bucket may stand in the host: `<bucket>.localhost`. Names are not looked up; the server reads them from the header. */
export const describeVirtualHosts = (store: ObjectStore): void => {
  describe('virtual-host style', () => {
    const bucket = store.bucket('conformance-hosts')
    const at = (name: string, raw: RawRequest): RawRequest => {
      const host = `${name}.localhost:${new URL(store.subject.endpoint).port}`
      return { ...raw, headers: { host, ...raw.headers } }
    }
    const send = (raw: RawRequest) => sendSigned(store.subject, at(bucket.name, raw))

    it('objects are written, read, headed and deleted as by path', async () => {
      const path = '/dt%3D2024-01-02/a%20b%2Bc%25'
      const key = 'dt=2024-01-02/a b+c%'
      expect((await send({ method: 'PUT', path, body: 'styled' })).status).toBe(200)
      expect(await bucket.text(key)).toBe('styled')
      expect((await send({ path })).body).toBe('styled')
      expect((await send({ method: 'HEAD', path })).headers['content-length']).toBe('6')
      expect((await send({ method: 'DELETE', path })).status).toBe(204)
      await expect(bucket.get(key)).rejects.toMatchObject(refusal('NoSuchKey', 404))
    })

    it('a key that begins with the name of a bucket is a key', async () => {
      const path = `/${bucket.name}/inside`
      await send({ method: 'PUT', path, body: 'inside' })
      expect(await bucket.text(`${bucket.name}/inside`)).toBe('inside')
    })

    it('the bucket itself is at the root: its list, its location', async () => {
      await bucket.put('listed', 'x')
      const { status, body } = await send({ path: '/', query: { 'list-type': '2', prefix: 'list' } })
      expect(status).toBe(200)
      expect(body).toContain(`<Name>${bucket.name}</Name>`)
      expect(body).toContain('<Key>listed</Key>')
      expect((await send({ path: '/', query: { location: '' } })).body).toContain('LocationConstraint')
    })

    it('what is missing is refused by name', async () => {
      const noKey = await send({ path: '/missing' })
      expect([noKey.status, codeOf(noKey)]).toEqual([404, 'NoSuchKey'])
      const raw = at('conformance-nowhere', { path: '/x' })
      const noBucket = await sendSigned(store.subject, raw)
      expect([noBucket.status, codeOf(noBucket)]).toEqual([404, 'NoSuchBucket'])
    })

    it('the signature is of the host: another bucket with it is refused', async () => {
      await bucket.put('signed', 'x')
      const raw = signed(store.subject, at(bucket.name, { path: '/signed' }))
      expect((await sendUnsigned(store.subject, raw)).status).toBe(200)
      const host = at('conformance-other', { path: '/' }).headers!['host']!
      const answer = await sendUnsigned(store.subject, { ...raw, headers: { ...raw.headers, host } })
      expect([answer.status, codeOf(answer)]).toEqual([403, 'SignatureDoesNotMatch'])
    })
  })
}
