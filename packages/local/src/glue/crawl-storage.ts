import { type GlueColumn, parquetFormat, type StorageDescriptor } from './catalog-model.ts'
import type { CrawledSchema, FileFormat } from './crawl-schema.ts'

const textFormat = {
  InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
} as const

/** The Parameters a crawler gives a table, a partition and their storage descriptors. */
export function crawledParameters({ format }: CrawledSchema): Readonly<Record<string, string>> {
  return {
    classification: format.classification,
    compressionType: format.compression,
    typeOfData: 'file',
    CrawlerSchemaDeserializerVersion: '1.0',
    CrawlerSchemaSerializerVersion: '1.0',
    ...(format.classification === 'csv' && {
      delimiter: format.delimiter,
      columnsOrdered: 'true',
      areColumnsQuoted: 'false',
      ...(format.hasHeader && { 'skip.header.line.count': '1' }),
    }),
  }
}

/** The storage descriptor a crawler makes; CSV is read by LazySimpleSerDe, as Glue's own classifier has it. */
export function crawledDescriptor(schema: CrawledSchema, location: string): StorageDescriptor {
  return {
    Columns: schema.columns,
    Location: location,
    ...storageFormat(schema),
    Compressed: schema.format.compression !== 'none',
    NumberOfBuckets: -1,
    BucketColumns: [],
    SortColumns: [],
    Parameters: crawledParameters(schema),
    StoredAsSubDirectories: false,
  }
}

function storageFormat({ format, paths = [] }: CrawledSchema) {
  switch (format.classification) {
    case 'parquet':
      return parquetFormat
    case 'csv':
      return {
        ...textFormat,
        SerdeInfo: {
          SerializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
          Parameters: { 'field.delim': format.delimiter },
        },
      }
    case 'json':
      return {
        ...textFormat,
        SerdeInfo: {
          SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
          Parameters: { paths: paths.join(',') },
        },
      }
  }
}

/** What the catalog says of files a crawl does not read again; undefined where no crawl makes such a descriptor. */
export function knownSchema(
  descriptor: StorageDescriptor | undefined,
  columns: readonly GlueColumn[],
  parameters: Readonly<Record<string, string>> = {},
): CrawledSchema | undefined {
  const { SerializationLibrary = '', Parameters = {} } = descriptor?.SerdeInfo ?? {}
  const all = { ...descriptor?.Parameters, ...parameters }
  const compression = all['compressionType'] === 'gzip' ? 'gzip' : 'none'
  const formats: Readonly<Record<string, FileFormat>> = {
    ParquetHiveSerDe: { classification: 'parquet', compression: 'none' },
    JsonSerDe: { classification: 'json', compression },
    LazySimpleSerDe: {
      classification: 'csv',
      compression,
      delimiter: Parameters['field.delim'] ?? '\u0001',
      hasHeader: Number(all['skip.header.line.count'] ?? 0) > 0,
    },
  }
  const format = formats[SerializationLibrary.split('.').at(-1) ?? '']
  return format && { format, columns }
}
