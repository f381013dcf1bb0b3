import { UsageError } from './command.ts'
import { calledConfig, importConfigModule } from './config-module.ts'
import type { SinkConfig } from './sink-config.ts'

/**
 * Imports FILE and answers its default export, or else the one named `sink`.
 *
 * Throws a `UsageError` for a file that is missing, cannot be imported, or exports something else.
 */
export const loadSinkConfig = async (file: string): Promise<SinkConfig> => {
  const module = await importConfigModule(file)
  const exported = module['default'] ?? module['sink']
  if (exported === undefined) {
    throw new UsageError(`${file} exports neither \`default\` nor \`sink\`: ${remedy}`)
  }
  return checked(
    file,
    typeof exported === 'function' ? await calledConfig(file, exported as () => unknown) : exported,
  )
}

const remedy = 'export default defineSinkConfig({ kafka, groupId, sink })'

const checked = (file: string, config: unknown): SinkConfig => {
  const refuse = (what: string): never => {
    throw new UsageError(`${file}: ${what}; ${remedy}`)
  }
  if (typeof config !== 'object' || config === null) return refuse(`it exports a ${typeof config}`)
  const { kafka, groupId, sink, consumer, compaction, close, ...others } = config as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) refuse(`it has a field '${unknown}' that nobody reads`)
  if (typeof kafka !== 'object' || kafka === null) refuse('`kafka` is a client of kafkajs or its settings')
  if (typeof groupId !== 'string' || groupId === '') refuse('`groupId` names the consumer group')
  const { name, topic, table } = (sink ?? {}) as Record<string, unknown>
  const isObject = (value: unknown) => typeof value === 'object' && value !== null
  if (typeof name !== 'string' || !isObject(topic) || !isObject(table)) {
    refuse('`sink` has the options of createSink: name, topic, table and a client')
  }
  if (consumer !== undefined && (typeof consumer !== 'object' || consumer === null)) {
    refuse('`consumer` has options of runConsumer')
  }
  const { catalog } = (compaction ?? {}) as Record<string, unknown>
  if (compaction !== undefined && !isObject(catalog)) {
    refuse('`compaction` has a catalog, such as createPartitionCatalog() of @stockpipe/glue makes')
  }
  if (close !== undefined && typeof close !== 'function') refuse('`close` is a function')
  return config as unknown as SinkConfig
}
