import { randomUUID } from 'node:crypto'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { parquetWriteBuffer } from 'hyparquet-writer'

const putsAtOnce = 8
const types = { string: 'STRING', double: 'DOUBLE', int64: 'INT64', timestamp: 'INT64', boolean: 'BOOLEAN' }
const stored = {
  string: (value) => value,
  double: (value) => value,
  boolean: (value) => value,
  int64: (value) => BigInt(value),
  timestamp: (value) => BigInt(value),
}

/** Collects rows as columns of the file they go to, and puts a file a path when it is told to. */
export class ParquetFiles {
  #s3
  #bucket
  #columns
  #paths = new Map()
  rows = 0

  constructor({ s3, bucket, columns }) {
    this.#s3 = new S3Client({
      endpoint: s3.endpoint,
      region: s3.region,
      credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
      forcePathStyle: true,
    })
    this.#bucket = bucket
    this.#columns = columns.map(([name, type]) => ({ name, type, stored: stored[type] }))
  }

  /** Takes a trade as it was parsed. */
  add(trade) {
    const path = `${Math.floor(trade.ts / 3_600_000)}/${trade.symbol}`
    let arrays = this.#paths.get(path)
    if (!arrays) {
      arrays = this.#columns.map(() => [])
      this.#paths.set(path, arrays)
    }
    for (let index = 0; index < arrays.length; index += 1) {
      const column = this.#columns[index]
      arrays[index].push(column.stored(trade[column.name]))
    }
    this.rows += 1
  }

  /** Writes everything that was added; the offsets may be committed afterwards. */
  async flush() {
    const paths = [...this.#paths]
    this.#paths = new Map()
    this.rows = 0
    const worker = async () => {
      for (let next = paths.pop(); next; next = paths.pop()) await this.#put(...next)
    }
    await Promise.all(Array.from({ length: putsAtOnce }, worker))
  }

  async #put(path, arrays) {
    const [hours, symbol] = path.split('/')
    const hour = new Date(Number(hours) * 3_600_000).toISOString().slice(0, 13).replace('T', '-')
    const file = parquetWriteBuffer({
      columnData: this.#columns.map(({ name, type }, index) => ({
        name,
        data: arrays[index],
        type: types[type],
      })),
      rowGroupSize: 100_000,
    })
    await this.#s3.send(
      new PutObjectCommand({
        Bucket: this.#bucket,
        Key: `trades/event_hour=${hour}/ticker=${symbol}/${randomUUID()}.parquet`,
        Body: new Uint8Array(file),
      }),
    )
  }
}
