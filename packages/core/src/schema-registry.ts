/** A schema as a registry keeps it. */
export interface RegisteredSchema {
  /** The schema's text. */
  readonly schema: string
  /** Texts of schemas whose named types it uses, each after those it uses itself. */
  readonly references?: readonly string[]
}

/**
 * Where the schemas are that records name by an id. An id stands for one schema for ever: what a record becomes has to be
 * the same whenever it is read.
 */
export interface SchemaRegistry {
  /**
   * The schema of an id: for Confluent's framing the number's digits, for Glue's the UUID of a schema version. Null when
   * the registry answers that there is none; records of it are rejected. Whatever else hinders is thrown, and the call
   * made again until the signal ends it.
   */
  schemaOf(id: string, options: { readonly signal?: AbortSignal }): Promise<RegisteredSchema | null>
}
