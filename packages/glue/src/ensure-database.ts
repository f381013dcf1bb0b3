import { CreateDatabaseCommand, GetDatabaseCommand } from '@aws-sdk/client-glue'
import { type Runtime, systemRuntime } from '@stockpipe/core'
import { type GlueSender, request, wasRefused } from './glue-request.ts'

export interface EnsureDatabaseOptions {
  readonly client: GlueSender
  readonly database: string
  readonly description?: string
  /** `s3://bucket/prefix/` for tables made without a location. */
  readonly location?: string
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}

/**
 * Makes the database when the catalog has none of that name; one that is there is left as it is.
 *
 * Throws a `GlueRequestError`.
 */
export const ensureDatabase = async (options: EnsureDatabaseOptions): Promise<'created' | 'unchanged'> => {
  const { client, database, description, location } = options
  const call = { client, runtime: options.runtime ?? systemRuntime, signal: options.signal }
  const what = `database ${database}`
  // Asked first, so that a caller who may not create databases can still use one that is there.
  const found = await request(
    call,
    'GetDatabase',
    what,
    (sendOptions) => client.send(new GetDatabaseCommand({ Name: database }), sendOptions),
    ['EntityNotFoundException'],
  )
  if (!wasRefused(found)) return 'unchanged'
  const created = await request(
    call,
    'CreateDatabase',
    what,
    (sendOptions) =>
      client.send(
        new CreateDatabaseCommand({
          DatabaseInput: {
            Name: database,
            ...(description === undefined ? {} : { Description: description }),
            ...(location === undefined ? {} : { LocationUri: location }),
          },
        }),
        sendOptions,
      ),
    ['AlreadyExistsException'],
  )
  return wasRefused(created) ? 'unchanged' : 'created'
}
