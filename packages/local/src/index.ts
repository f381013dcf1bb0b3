export { type ParquetColumn, parquetColumns } from './glue/parquet-columns.ts'
export { ServiceError } from './http/json-service.ts'
export type {
  KafkaErrorName,
  KafkaFault,
  KafkaFaultAction,
  KafkaFaultOptions,
  KafkaFaults,
} from './kafka/faults/fault.ts'
export type { KafkaTls } from './kafka/network/listener.ts'
export type { KafkaUser } from './kafka/sasl/kafka-users.ts'
export type { LocalAws, LocalKafka, LocalS3, LocalStack, LocalStackOptions } from './local-stack.ts'
export { startLocalStack } from './local-stack.ts'
export type { LocalRequest } from './request-log.ts'
export { formatRequest } from './request-log.ts'
export type { S3Fault, S3FaultAction, S3FaultError, S3FaultOptions, S3Faults } from './s3/s3-faults.ts'
export type { S3Operation } from './s3/s3-operation.ts'
