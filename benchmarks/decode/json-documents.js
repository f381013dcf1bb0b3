/** 20 symbols, 4 hours; each case is one way a producer may write them. */
const trade = (number) => ({
  symbol: `SYM${(number * 7) % 20}`,
  price: (10_000 + ((number * 31) % 10_000)) / 100,
  size: 100 + ((number * 13) % 900),
  ts: 1_700_000_000_000 + ((number * 37) % 14_400_000),
  venue: ['XNYS', 'XNAS', 'ARCX', 'BATS'][number % 4],
  trade_id: 900_000_000 + number,
})
const compact = (value) => JSON.stringify(value)
/** As Python's json.dumps writes. */
const spaced = (value) =>
  `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${JSON.stringify(member)}`)
    .join(', ')}}`
const note = 'Reported by the facility on behalf of both sides of the trade; not last sale eligible. '

/** Documents by name, each a text for the number of a trade. */
export const cases = {
  'trades of 95 bytes': (number) => compact(trade(number)),
  'trades of 400 bytes': (number) =>
    compact({
      ...trade(number),
      participant: 'NASDAQ TRF CARTERET',
      conditions: ['@', 'F', 'I'],
      correction: null,
      note: note.repeat(2),
      source: { feed: 'UTDF', channel: number % 6, sequence: number },
    }),
  'decimals and times as text': (number) => {
    const { price, ts, ...rest } = trade(number)
    return compact({ ...rest, price: price.toFixed(4), ts: new Date(ts).toISOString() })
  },
  'spaces, another order, unknown members': (number) => {
    const { symbol, ...rest } = trade(number)
    return spaced({ type: 'trade', ...rest, sequence: number, symbol })
  },
  'members left out at times': (number) => {
    const { venue, ...rest } = trade(number)
    return compact(number % 3 === 0 ? rest : { ...rest, venue })
  },
  'texts with escapes': (number) => {
    const { venue, ...rest } = trade(number)
    return compact({ ...rest, venue: `${venue}\n"${number % 50}"` })
  },
  'doubles of 17 digits': (number) => {
    const { size, ...rest } = trade(number)
    return compact({ ...rest, ratio: Math.sin(number), second: Math.cos(number), size })
  },
  'texts that all differ': (number) => {
    const { venue, ...rest } = trade(number)
    return compact({ ...rest, venue: `order-${number * 7919}-${number}` })
  },
}
