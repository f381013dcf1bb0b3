import type { LifecycleRule as S3LifecycleRule } from '@aws-sdk/client-s3'
import type { LifecycleRule } from './sink-object-store.ts'

const archiveClasses = new Set<string | undefined>(['GLACIER', 'DEEP_ARCHIVE'])

/** What a rule does, as far as a sink has to know. */
export const lifecycleRule = (rule: S3LifecycleRule): LifecycleRule => {
  const { Filter, Expiration, Transitions = [], AbortIncompleteMultipartUpload: aborted } = rule
  const { And } = Filter ?? {}
  return {
    id: rule.ID ?? '',
    prefix: And?.Prefix ?? Filter?.Prefix ?? rule.Prefix ?? '',
    filtered: [Filter?.Tag, Filter?.ObjectSizeGreaterThan, Filter?.ObjectSizeLessThan, And].some(
      (part) => part !== undefined,
    ),
    expires: Expiration?.Days !== undefined || Expiration?.Date !== undefined,
    archives: Transitions.some(({ StorageClass }) => archiveClasses.has(StorageClass)),
    abortsUploadsAfterDays: aborted?.DaysAfterInitiation,
  }
}
