export {
  type AthenaDifferences,
  type AthenaPart,
  type AthenaSubject,
  describeAthena,
} from './athena/describe-athena.ts'
export { describeGlue, type GlueDifferences, type GlueSubject } from './glue/describe-glue.ts'
export { describeKafka, type KafkaSubject } from './kafka/describe-kafka.ts'
export { describeKafkaSecurity, type KafkaSecuritySubject } from './kafka/describe-kafka-security.ts'
export {
  describeObjectStoreContract,
  type Fault,
  type FaultyCall,
  type ObjectStoreContractSubject,
} from './object-store/describe-object-store-contract.ts'
export { describeObjectStore, type ObjectStoreSubject } from './s3/describe-object-store.ts'
