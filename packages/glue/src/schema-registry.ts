import { GetSchemaVersionCommand } from '@aws-sdk/client-glue'
import {
  neverConnected,
  type Runtime,
  type SchemaRegistry,
  StockpipeError,
  systemRuntime,
} from '@stockpipe/core'
import { GlueRequestError } from './errors.ts'
import { type GlueSender, request, wasRefused } from './glue-request.ts'

export interface GlueSchemaRegistryOptions {
  /** A `GlueClient` of the region the registry is in. */
  readonly client: GlueSender
  readonly runtime?: Runtime
}

/** Failures of the network, which pass: nobody was asked yet. */
const unreachable: ReadonlySet<string> = new Set([...neverConnected, 'ENOTFOUND'])

const unavailable = (id: string, reason: string, cause?: unknown): StockpipeError =>
  new StockpipeError({
    code: 'SCHEMA_REGISTRY_UNAVAILABLE',
    message: `The Glue schema registry did not give schema version ${id}: ${reason}.`,
    retryable: true,
    cause,
  })

/**
 * The schemas of the Glue schema registry, by the UUIDs of their versions (`glue:GetSchemaVersion`), for
 * `avro({ framing: 'glue' })` as a sink's `schemaRegistry`.
 *
 * Calls throw a `GlueRequestError`, or a retryable `SCHEMA_REGISTRY_UNAVAILABLE` while Glue cannot be reached or the
 * version is still being checked.
 */
export const createGlueSchemaRegistry = (options: GlueSchemaRegistryOptions): SchemaRegistry => {
  const { client, runtime = systemRuntime } = options
  return {
    async schemaOf(id, { signal }) {
      const answer = await request(
        { client, runtime, signal },
        'GetSchemaVersion',
        `schema version ${id}`,
        (call) => client.send(new GetSchemaVersionCommand({ SchemaVersionId: id }), call),
        ['EntityNotFoundException'],
      ).catch((error: unknown) => {
        const failed = error instanceof GlueRequestError && unreachable.has(error.serviceError)
        throw failed ? unavailable(id, error.message.replace(/\.$/, ''), error) : error
      })
      if (wasRefused(answer)) return null
      const { SchemaDefinition: schema, Status: status } = answer
      if (status === 'PENDING') throw unavailable(id, 'it is still being checked (PENDING)')
      if (schema !== undefined) return { schema }
      throw new StockpipeError({
        code: 'SCHEMA_REGISTRY_REFUSED',
        message: `The Glue schema registry has no definition of schema version ${id}: its status is ${status ?? 'unknown'}.`,
      })
    },
  }
}
