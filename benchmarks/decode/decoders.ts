// The parts of core that the benchmarks of decoders measure; those from a file of their own are no public API.

export { createCsvDecoder } from '../../packages/core/src/csv-decoder.ts'
export { createReferenceCsvDecoder } from '../../packages/core/src/csv-reference.ts'
export { csv, defineTable, defineTopic, json, RecordBlockBuilder, t } from '../../packages/core/src/index.ts'
export { createJsonDecoder } from '../../packages/core/src/json-decoder.ts'
export { createReferenceJsonDecoder } from '../../packages/core/src/json-reference.ts'
