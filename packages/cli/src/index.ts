export type { CommandIO } from './command.ts'
export { main } from './main.ts'
export {
  type CompactionConfig,
  defineSinkConfig,
  type SinkConfig,
  type SinkConfigExport,
} from './sink-config.ts'
