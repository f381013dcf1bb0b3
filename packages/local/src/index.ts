export { ServiceError } from './http/json-service.ts'
export type { LocalAws, LocalKafka, LocalStack, LocalStackOptions } from './local-stack.ts'
export { startLocalStack } from './local-stack.ts'
