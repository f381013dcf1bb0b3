import { ConfigurationError } from '@stockpipe/core'

const encryptions = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const
const storageClasses = ['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'] as const
const mostTags = 10

/** How objects are written to S3, and whose bucket it has to be. Everything left out is as the bucket says. */
export interface ObjectSettings {
  /** Encryption of data files and journal. Default: the bucket's own. */
  readonly serverSideEncryption?: (typeof encryptions)[number]
  /** Key id, alias or ARN, with `aws:kms` and `aws:kms:dsse`. Default: the account's key for S3. */
  readonly kmsKeyId?: string
  /** With `aws:kms`: an S3 Bucket Key, which saves nearly every call to KMS. Default: as the bucket says. */
  readonly bucketKeyEnabled?: boolean
  /** Storage class of data files. The journal stays in the bucket's default, `STANDARD`: it is small and read often. */
  readonly storageClass?: (typeof storageClasses)[number]
  /** Up to 10 tags of data files. */
  readonly tags?: Readonly<Record<string, string>>
  /** Up to 10 tags of journal objects. No lifecycle rule may expire what carries them. */
  readonly journalTags?: Readonly<Record<string, string>>
  /** The account id the bucket must belong to; every call says so, and S3 refuses it (403) for another owner's. */
  readonly expectedBucketOwner?: string
}

interface EncryptionFields {
  readonly ServerSideEncryption?: (typeof encryptions)[number]
  readonly SSEKMSKeyId?: string
  readonly BucketKeyEnabled?: boolean
}

/** The settings as fields of S3's commands. */
export interface ObjectFields {
  /** Of every command. */
  readonly owner: { readonly ExpectedBucketOwner?: string }
  /** Of PutObject, which writes the journal. */
  readonly put: EncryptionFields & { readonly Tagging?: string }
  /** Of CreateMultipartUpload, which begins a data file. */
  readonly upload: EncryptionFields & {
    readonly StorageClass?: (typeof storageClasses)[number]
    readonly Tagging?: string
  }
}

const settingNames = [
  'serverSideEncryption',
  'kmsKeyId',
  'bucketKeyEnabled',
  'storageClass',
  'tags',
  'journalTags',
  'expectedBucketOwner',
] as const satisfies readonly (keyof ObjectSettings)[]

/** The settings that are given, out of options that hold more. */
export const givenObjectSettings = (options: ObjectSettings): ObjectSettings =>
  Object.fromEntries(
    settingNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )

/** Throws a `ConfigurationError` (`OBJECT_SETTINGS_INVALID`) for what S3 would refuse, or nobody could read again. */
export const objectFields = (settings: ObjectSettings): ObjectFields => {
  const { serverSideEncryption, kmsKeyId, bucketKeyEnabled, storageClass, expectedBucketOwner } = settings
  refuseUnknown('serverSideEncryption', serverSideEncryption, encryptions, '')
  refuseUnknown(
    'storageClass',
    storageClass,
    storageClasses,
    '; files in an archive class cannot be queried, and directory buckets cannot be used',
  )
  if (kmsKeyId !== undefined && !serverSideEncryption?.startsWith('aws:kms')) {
    throw refusal("kmsKeyId goes with serverSideEncryption 'aws:kms' or 'aws:kms:dsse'")
  }
  if (bucketKeyEnabled !== undefined && serverSideEncryption !== 'aws:kms') {
    throw refusal("bucketKeyEnabled goes with serverSideEncryption 'aws:kms'")
  }
  if (expectedBucketOwner !== undefined && !/^\d{12}$/.test(expectedBucketOwner)) {
    throw refusal(`expectedBucketOwner is an account id of 12 digits, not "${expectedBucketOwner}"`)
  }
  const encryption = {
    ...(serverSideEncryption && { ServerSideEncryption: serverSideEncryption }),
    ...(kmsKeyId !== undefined && { SSEKMSKeyId: kmsKeyId }),
    ...(bucketKeyEnabled !== undefined && { BucketKeyEnabled: bucketKeyEnabled }),
  }
  return {
    owner: expectedBucketOwner === undefined ? {} : { ExpectedBucketOwner: expectedBucketOwner },
    put: { ...encryption, ...tagging('journalTags', settings.journalTags) },
    upload: {
      ...encryption,
      ...(storageClass && { StorageClass: storageClass }),
      ...tagging('tags', settings.tags),
    },
  }
}

const tagging = (name: string, tags: ObjectSettings['tags']): { readonly Tagging?: string } => {
  const pairs = Object.entries(tags ?? {})
  if (pairs.length === 0) return {}
  if (pairs.length > mostTags) throw refusal(`${name} has ${pairs.length} tags; S3 takes ${mostTags}`)
  for (const [key, value] of pairs) {
    if (key.length < 1 || key.length > 128 || /^aws:/i.test(key) || value.length > 256) {
      throw refusal(
        `${name}: "${key}" is no tag: keys have 1 to 128 characters and do not begin with aws:, values up to 256`,
      )
    }
  }
  return {
    Tagging: pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`).join('&'),
  }
}

const refuseUnknown = (
  name: string,
  value: string | undefined,
  known: readonly string[],
  why: string,
): void => {
  if (value === undefined || known.includes(value)) return
  throw refusal(`${name} is one of ${known.join(', ')}, not "${value}"${why}`)
}

const refusal = (sentence: string): ConfigurationError =>
  new ConfigurationError({ code: 'OBJECT_SETTINGS_INVALID', message: `Objects on S3: ${sentence}.` })
