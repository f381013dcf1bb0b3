/** Trades as decoded batches, the same every time; each row goes to a symbol and an hour by chance. */
export const tradeBatches = ({ rows, symbols, hours, batchRows = 16_384 }) => {
  let seed = 1
  const chance = () => {
    seed = (seed + 0x9e3779b9) | 0
    let bits = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b)
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32
  }
  const prices = Array.from({ length: symbols }, () => 1_000_000 + Math.floor(chance() * 1_000_000))
  const names = Array.from({ length: symbols }, (_, symbol) => `S${symbol}`)
  const dictionary = { offsets: new Int32Array(symbols + 1), bytes: Buffer.from(names.join('')) }
  for (const [symbol, name] of names.entries())
    dictionary.offsets[symbol + 1] = dictionary.offsets[symbol] + name.length
  const begin = Date.UTC(2026, 2, 2, 14)
  const batches = []
  for (let from = 0; from < rows; from += batchRows) {
    const count = Math.min(batchRows, rows - from)
    const codes = new Int32Array(count)
    const [price, size, ts, tradeId, offsets] = Array.from({ length: 5 }, () => new BigInt64Array(count))
    for (let row = 0; row < count; row += 1) {
      const serial = from + row
      const symbol = Math.floor(chance() * symbols)
      prices[symbol] += 100 * Math.floor(chance() * 5 - 2)
      codes[row] = symbol
      price[row] = BigInt(prices[symbol])
      size[row] = BigInt(1 + Math.floor(chance() ** 3 * 500))
      const hour = Math.floor(chance() * hours)
      ts[row] = BigInt(begin + hour * 3_600_000 + Math.floor((serial * 3_600_000) / rows))
      tradeId[row] = BigInt(serial * 3 + 1_000_000_000)
      offsets[row] = BigInt(serial)
    }
    const int64 = (values) => ({ kind: 'int64', values, validity: null })
    const columns = [
      { kind: 'dictionary', codes, dictionary, validity: null },
      ...[price, size, ts, tradeId, offsets].map(int64),
    ]
    batches.push({ rows: count, columns, offsets })
  }
  return batches
}

/** The table of those batches: one path a symbol and hour. */
export const tradesTable = ({ defineTable, hour, identity, t }) =>
  defineTable('trades', {
    columns: {
      symbol: t.string(),
      price: t.decimal(18, 4),
      size: t.int64(),
      ts: t.timestamp(),
      trade_id: t.int64(),
      kafka_offset: t.recordOffset(),
    },
    partitions: { trade_hour: hour('ts'), ticker: identity('symbol') },
  })
