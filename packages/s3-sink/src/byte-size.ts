import { ConfigurationError } from '@stockpipe/core'

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_024 ** 2,
  GiB: 1_024 ** 3,
}

/** A number of bytes from one, or from text such as `256MiB` or `1.5 GB`. Throws a `ConfigurationError`. */
export const byteSize = (size: string | number, name: string): number => {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(String(size))
  const unit = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined
  const bytes = unit === undefined ? 0 : Math.floor(Number(match![1]) * unit)
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes
  throw new ConfigurationError({
    code: 'BYTE_SIZE_INVALID',
    message: `${name} is a number of bytes above 0, or text such as "256MiB" (B, kB, MB, GB, KiB, MiB, GiB), not "${size}".`,
  })
}
