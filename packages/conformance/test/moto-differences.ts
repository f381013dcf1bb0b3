import type { GlueDifferences } from '../src/index.ts'

const keepsCase = 'moto keeps the case of names, which Glue folds to lower case'
const doesNotPage = 'moto answers everything at once, whatever MaxResults says'
const doesNotValidate = 'moto checks no limit of the service model'
const ignoresVersions = 'moto ignores VersionId and SkipArchive'
const lacks = 'moto does not have these calls'

/** Where moto 5.2.5 does not do what Glue's documentation, its service model or users of Glue say. */
export const motoDifferences: GlueDifferences = {
  'partition indexes': lacks,
  'column statistics': lacks,
  'user-defined functions': lacks,
  'table search': lacks,
  'databases > fold their names to lower case and are found under any': keepsCase,
  'databases > are listed by pages': doesNotPage,
  'tables > fold their names to lower case and are found under any': keepsCase,
  'tables > are listed by pages that a table made or removed meanwhile does not upset': doesNotPage,
  'tables > are listed by a pattern that must hold for the whole name':
    'moto looks for the pattern at the start of a name only',
  'tables > are listed with no more than the attributes asked for': 'moto ignores AttributesToGet',
  'table versions > begin with 0 and go up by one with each update': 'the first version of moto is 1',
  'table versions > are listed from the newest on, by pages': doesNotPage,
  'table versions > replaced with SkipArchive are not kept': ignoresVersions,
  'table versions > that an update names must be the current one, else ConcurrentModificationException':
    ignoresVersions,
  'table versions > are not removed while they are the current one':
    'moto removes the current version, after which the table cannot be read',
  'table versions > are removed in a batch that tells of each that is not there': lacks,
  'partitions > must have a value for each partition key': 'moto does not count the values of a partition',
  'partitions > are replaced by an update, but for the time they were made':
    'moto gives an updated partition a new CreationTime',
  'partitions > do not move onto others, and both stay':
    'moto loses the partition whose move onto another it refuses',
  'partition batches > make 100 and no more': doesNotValidate,
  'partition batches > get 1000 and no more': doesNotValidate,
  'partition batches > remove 25 and no more': doesNotValidate,
  'partition batches > update 100 and no more': doesNotValidate,
  'partition listing > is by pages no longer than asked for': doesNotPage,
  'partition listing > by segments gives each partition once, in segments that are not alike':
    'moto ignores Segment and gives everything in each',
  'partition listing > leaves columns out where they are not asked for': 'moto ignores ExcludeColumnSchema',
  'partition listing > refuses pages, segments and expressions beyond their limits': doesNotValidate,
  'partition listing > refuses a token that is none': doesNotPage,
  'partition expressions > YEAR = 9 and Symbol is not null': 'moto tells names of keys apart by their case',
  'partition expressions > of decimals are compared as numbers':
    'moto does not know decimals with a precision',
  'tags > of what is not there are EntityNotFoundException': 'moto keeps tags under any ARN',
  'tags > go with their resource': 'moto keeps the tags of a database that is gone',
  'tags > are 50 at most, and of none that begins with aws:': doesNotValidate,
  validation: doesNotValidate,
}
