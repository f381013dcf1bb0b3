export type { CommandIO } from './command.ts'
export { main } from './main.ts'
export { defineSinkConfig, type SinkConfig, type SinkConfigExport } from './sink-config.ts'
