import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** URL of the module that unpacks record batches on other threads; undefined in a bundle, which has no such file. */
export const unpackingModule = (): string | undefined => {
  try {
    const url = new URL(/* webpackIgnore: true */ './record-batch-unpacking.js', import.meta.url)
    return url.protocol === 'file:' && existsSync(fileURLToPath(url)) ? url.href : undefined
  } catch {
    return undefined
  }
}
