const field = (name, type) => ({ name, type })
const decimal = { type: 'bytes', logicalType: 'decimal', precision: 18, scale: 4 }
const timestamp = { type: 'long', logicalType: 'timestamp-micros' }
const venues = ['XNYS', 'XNAS', 'ARCX', 'BATS']
const trade = [
  field('symbol', 'string'),
  field('price', decimal),
  field('size', 'long'),
  field('ts', timestamp),
  field('venue', ['null', 'string']),
  field('trade_id', 'long'),
]
const record = (...fields) => ({ type: 'record', name: 'Trade', fields })

const priceOf = (number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE((10_000 + ((number * 31) % 10_000)) * 100)
  return bytes
}
/** 20 symbols, 4 hours. */
const tradeOf = (number) => ({
  symbol: `SYM${(number * 7) % 20}`,
  price: priceOf(number),
  size: 100 + ((number * 13) % 900),
  ts: (1_700_000_000_000 + ((number * 37) % 14_400_000)) * 1000,
  venue: venues[number % 4],
  trade_id: 900_000_000 + number,
})
const note = 'Reported by the facility on behalf of both sides of the trade; not last sale eligible. '
const legType = { type: 'record', name: 'Leg', fields: [field('price', decimal), field('size', 'long')] }

/** Values by name: the schema they are written with, and the value for the number of a trade. */
export const cases = {
  trades: { schema: record(...trade), makeValue: tradeOf },
  'trades with a Confluent frame': { schema: record(...trade), makeValue: tradeOf, framing: 'confluent' },
  'fields the table does not know': {
    schema: record(
      field('participant', 'string'),
      field('conditions', { type: 'array', items: 'string' }),
      ...trade,
      field('correction', ['null', 'int']),
      field('note', 'string'),
      field('sequence', 'long'),
    ),
    makeValue: (number) => ({
      ...tradeOf(number),
      participant: 'NASDAQ TRF CARTERET',
      conditions: ['@', 'F', 'I'],
      correction: null,
      note,
      sequence: number,
    }),
  },
  'texts that all differ': {
    schema: record(...trade),
    makeValue: (number) => ({ ...tradeOf(number), venue: `order-${number * 7919}-${number}` }),
  },
  'enums and nulls': {
    schema: record(
      ...trade.map((one) =>
        one.name === 'venue'
          ? field('venue', ['null', { type: 'enum', name: 'Venue', symbols: venues }])
          : one,
      ),
    ),
    makeValue: (number) => ({ ...tradeOf(number), venue: number % 3 === 0 ? null : venues[number % 4] }),
  },
  'lists of structs': {
    nested: true,
    schema: record(...trade, field('legs', { type: 'array', items: legType })),
    makeValue: (number) => ({
      ...tradeOf(number),
      legs: Array.from({ length: number % 4 }, (_, leg) => ({
        price: priceOf(number + leg),
        size: 10 + leg,
      })),
    }),
  },
}
