// The parts of core that the benchmark measures; two of them are no public API.
export { defineTable, defineTopic, json, RecordBlockBuilder, t } from '../../packages/core/src/index.ts'
export { createJsonDecoder } from '../../packages/core/src/json-decoder.ts'
export { createReferenceJsonDecoder } from '../../packages/core/src/json-reference.ts'
