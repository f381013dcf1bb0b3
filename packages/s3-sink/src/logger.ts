/** Where the sink writes what an operator should know. `console` fits. Silent when healthy. */
export interface SinkLogger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export const silentLogger: SinkLogger = Object.freeze({ info() {}, warn() {}, error() {} })
