import { randomBytes, randomUUID } from 'node:crypto'
import { parseLocation, type StorageLocation } from '../glue/hive-path.ts'
import type { ObjectStorage } from '../object-storage.ts'
import { QueryError, type WrittenFile } from '../sql/query-engine.ts'
import { failure } from '../sql/query-failure.ts'
import { bytesOf } from './result-spool.ts'

/** A file on its way into a bucket. */
export interface DataFile {
  readonly file: WrittenFile
  readonly bucket: string
  readonly key: string
}

/** Names the objects of one statement as Athena does: its start, a number, a few letters, and an id of each. */
export function dataFileNames(startedMillis: number): () => string {
  const [date, time] = new Date(startedMillis).toISOString().replaceAll(/[-:]/g, '').split(/[T.]/)
  const statement = `${date}_${time}_00000_${randomBytes(3).toString('hex').slice(0, 5)}`
  return () => `${statement}_${randomUUID()}`
}

/** The bucket and prefix of a location that files are to go to. Throws where it is none, or its bucket is not there. */
export async function writableLocation(storage: ObjectStorage, location: string): Promise<StorageLocation> {
  const parsed = parseLocation(location)
  if (parsed === undefined) {
    throw failure('HIVE_FILESYSTEM_ERROR', `The location '${location}' is not s3://bucket/prefix.`)
  }
  if (!(await storage.bucketExists(parsed.bucket))) {
    throw failure('HIVE_FILESYSTEM_ERROR', `The bucket ${parsed.bucket} of '${location}' does not exist.`)
  }
  return parsed
}

/** Throws HIVE_PATH_ALREADY_EXISTS where a prefix holds an object. `what` is such as `table 'a.b'`. */
export async function requireEmpty(
  storage: ObjectStorage,
  { bucket, prefix }: StorageLocation,
  what: string,
): Promise<void> {
  for await (const _ of storage.listObjects(bucket, prefix)) {
    throw failure(
      'HIVE_PATH_ALREADY_EXISTS',
      `Target directory for ${what} already exists: s3://${bucket}/${prefix.slice(0, -1)}. Choose another location, or remove what is there.`,
    )
  }
}

/**
 * Puts the manifest, where there is one, then the files it names: after a failure it tells of all there may be. Nothing of a stopped query
 * is put once it is stopped; what was put before stays.
 */
export async function putDataFiles(
  storage: ObjectStorage,
  files: readonly DataFile[],
  manifestLocation: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const manifest = parseLocation(manifestLocation ?? '')
  const lines = files.map(({ bucket, key }) => `s3://${bucket}/${key}\n`).join('')
  try {
    if (manifest !== undefined) {
      await storage.writeObject(manifest.bucket, manifest.prefix.slice(0, -1), Buffer.from(lines), {
        contentType: 'text/csv',
      })
    }
    for (const { file, bucket, key } of files) {
      signal.throwIfAborted()
      await storage.writeObject(bucket, key, bytesOf(file.filePath))
    }
  } catch (cause) {
    signal.throwIfAborted()
    throw new QueryError(
      'HIVE_WRITER_CLOSE_ERROR',
      `HIVE_WRITER_CLOSE_ERROR: Error committing write to Hive: ${cause instanceof Error ? cause.message : cause}. You may need to manually clean the data at ${lines.trimEnd().split('\n').join(', ')} before retrying. Athena will not delete data in your account.`,
      { category: 1, cause },
    )
  }
}
