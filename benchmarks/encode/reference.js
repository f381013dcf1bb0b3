import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'

const require = createRequire(join(root, 'packages/s3-sink/package.json'))
const arrow = require('apache-arrow')
const parquet = require('parquet-wasm/node')

const codecs = {
  none: parquet.Compression.UNCOMPRESSED,
  snappy: parquet.Compression.SNAPPY,
  gzip: parquet.Compression.GZIP,
  zstd: parquet.Compression.ZSTD,
}

/**
 * The plain way to write the same rows: all of them as one Arrow table with a dictionary of symbols, given to
 * parquet-wasm. Nothing is routed, so it does less than what it is compared with. Answers the file's size.
 */
export const referenceWriter = (batches) => {
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0)
  const joined = (index, target, name) => {
    let at = 0
    for (const batch of batches) {
      target.set(batch.columns[index][name], at)
      at += batch.rows
    }
    return target
  }
  const { dictionary } = batches[0].columns[0]
  const strings = arrow.makeData({
    type: new arrow.Utf8(),
    length: dictionary.offsets.length - 1,
    nullCount: 0,
    valueOffsets: dictionary.offsets,
    data: dictionary.bytes,
  })
  const column = (type, data, more = {}) =>
    arrow.makeData({ type, length: rows, nullCount: 0, data, ...more })
  const int64 = (index) => joined(index, new BigInt64Array(rows), 'values')
  const columns = {
    symbol: column(
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), 0),
      joined(0, new Int32Array(rows), 'codes'),
      {
        dictionary: new arrow.Vector([strings]),
      },
    ),
    price: column(new arrow.Decimal(4, 18, 64), new Uint32Array(int64(1).buffer)),
    size: column(new arrow.Int64(), int64(2)),
    ts: column(new arrow.TimestampMillisecond(), int64(3)),
    trade_id: column(new arrow.Int64(), int64(4)),
    kafka_offset: column(new arrow.Int64(), int64(5)),
  }
  const schema = new arrow.Schema(
    Object.entries(columns).map(([name, data]) => new arrow.Field(name, data.type, false)),
  )
  return (codec) => {
    const children = Object.values(columns)
    const struct = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      length: rows,
      nullCount: 0,
      children,
    })
    const table = new arrow.Table(schema, [new arrow.RecordBatch(schema, struct)])
    const properties = new parquet.WriterPropertiesBuilder()
      .setCompression(codecs[codec])
      .setMaxRowGroupSize(65_536)
      .build()
    return parquet.writeParquet(parquet.Table.fromIPCStream(arrow.tableToIPC(table, 'stream')), properties)
      .length
  }
}
