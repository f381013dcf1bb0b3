import { describe, expect, it } from 'vitest'
import { compositeChecksum, startDigest } from '../../src/s3/checksums.ts'

const digestOf = (algorithm: Parameters<typeof startDigest>[0], ...pieces: string[]) => {
  const digest = startDigest(algorithm)
  for (const piece of pieces) digest.update(Buffer.from(piece))
  return digest.digest().toString('hex')
}

describe('checksums', () => {
  // The check values of the catalogue of CRC algorithms, over the text 123456789.
  it('are those of the published check values', () => {
    expect(digestOf('CRC32', '123456789')).toBe('cbf43926')
    expect(digestOf('CRC32C', '123456789')).toBe('e3069283')
    expect(digestOf('CRC64NVME', '123456789')).toBe('ae8b14860a799888')
    expect(digestOf('SHA1', 'abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
    expect(digestOf('SHA256', 'abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  it('do not depend on how the bytes are cut', () => {
    for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
      expect(digestOf(algorithm, '1', '2345', '', '6789')).toBe(digestOf(algorithm, '123456789'))
    }
  })

  it('of a composite object cover the digests of its parts and count them', () => {
    const part = startDigest('CRC32')
    part.update(Buffer.from('part'))
    const value = part.digest()
    const whole = startDigest('CRC32')
    whole.update(Buffer.concat([value, value]))
    expect(compositeChecksum('CRC32', [value.toString('base64'), value.toString('base64')])).toEqual({
      algorithm: 'CRC32',
      type: 'COMPOSITE',
      value: `${whole.digest().toString('base64')}-2`,
    })
  })
})
