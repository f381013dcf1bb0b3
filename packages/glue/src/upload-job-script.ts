import { createHash } from 'node:crypto'
import type { ObjectStore } from '@stockpipe/core'

export interface UploadJobScriptOptions {
  /** Of the bucket: `createS3ObjectStore` of `@stockpipe/s3-sink` makes one. */
  readonly store: Pick<ObjectStore, 'putIfAbsent'>
  readonly bucket: string
  /** Where scripts are kept. Default `glue-scripts/`. */
  readonly prefix?: string
  /** Of the script, such as `trades_to_bars.py`. */
  readonly name: string
  readonly source: string | Uint8Array
  readonly signal?: AbortSignal
}

/**
 * Puts a script where its content alone decides the key, so that a run always has the script its job was made with, and
 * the same script again is not sent again. Answers `s3://bucket/key`. Throws what `store` throws.
 */
export const uploadJobScript = async (options: UploadJobScriptOptions): Promise<string> => {
  const { store, bucket, prefix = 'glue-scripts/', name, source, signal } = options
  const body = typeof source === 'string' ? new TextEncoder().encode(source) : source
  const [, stem = name, extension = ''] = /^(.*?)(\.[^.]*)?$/.exec(name) ?? []
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  const key = `${prefix}${stem}-${hash}${extension}`
  await store.putIfAbsent(key, body, { contentType: 'text/x-python', ...(signal ? { signal } : {}) })
  return `s3://${bucket}/${key}`
}
