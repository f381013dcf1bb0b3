import { ConfigurationError } from '@stockpipe/core'
import type { BlockRequest, EngineHost } from './engine-host.ts'
import type { Engine, EngineResponse } from './engine-messages.ts'
import type { SchemaLookup } from './schema-lookup.ts'

/**
 * An engine that is handed the schemas its records name: a block that lacks some is handed over again with them. Record
 * batches are unpacked before, since those of which a part was taken could not be handed over again.
 */
export const withSchemas = (host: EngineHost, schemas: SchemaLookup | undefined): EngineHost => {
  if (schemas === undefined) return host
  return {
    get encoders() {
      return host.encoders
    },
    get takingBytes() {
      return host.takingBytes
    },
    async take(...[request, signal, ...others]: Parameters<EngineHost['take']>) {
      for (let asked = request; ; ) {
        const answer = await host.take(asked, signal, ...others)
        const missing = answer.responses.find((response) => response.kind === 'schemas-missing')
        if (!missing) return answer
        const given = await schemas.schemasOf(missing.ids, signal)
        // The log may have been discarded meanwhile.
        signal.throwIfAborted()
        asked = { ...request, block: answer.block, schemas: given }
      }
    },
    cut: (request) => host.cut(request),
    discard: (log) => host.discard(log),
    async close() {
      schemas.close()
      await host.close()
    },
  }
}

/** What an engine on this thread answers to a block, which is handed over again with the schemas that it lacks. */
export async function* handledWithSchemas(
  engine: Engine,
  request: BlockRequest,
  schemas: SchemaLookup | undefined,
  signal: AbortSignal,
): AsyncGenerator<EngineResponse, void, undefined> {
  for (let asked = request; ; ) {
    let missing: readonly string[] | undefined
    for (const response of engine.handle(asked)) {
      if (response.kind === 'schemas-missing') missing = response.ids
      else yield response
    }
    if (!missing) return
    if (!schemas) throw registryMissing(request.block.topic)
    asked = { ...request, schemas: await schemas.schemasOf(missing, signal) }
  }
}

/** The error of a sink without a registry whose records name schemas. */
export const registryMissing = (topic: string): ConfigurationError =>
  new ConfigurationError({
    code: 'SCHEMA_REGISTRY_MISSING',
    message: `Records of topic ${topic} name their schema in a registry: give the sink \`schemaRegistry\` (createConfluentRegistry of @stockpipe/kafka, createGlueSchemaRegistry of @stockpipe/glue).`,
    facts: { topic },
  })
