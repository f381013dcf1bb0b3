export type { ErrorFacts, StockpipeErrorOptions } from './errors.ts'
export {
  ConfigurationError,
  FencedError,
  LogChangedError,
  LostPositionError,
  SchemaMismatchError,
  StockpipeError,
} from './errors.ts'
export type { Runtime, RuntimeTimer } from './runtime.ts'
export { sleep, systemRuntime } from './runtime.ts'
