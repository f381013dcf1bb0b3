// Trades that follow from their number alone: the same bytes on every machine and in every run.

/** Four hours of event time begin here. */
export const firstEventMillis = Date.UTC(2026, 2, 2, 14)
/** The id of trade number 0. */
export const firstTradeId = 10_000_000
const hourMillis = 3_600_000
export const eventHours = 4

const tickers = 'AAPL MSFT AMZN NVDA GOOG META TSLA JPM V WMT XOM UNH MA PG JNJ HD MRK ABBV KO PEP'.split(' ')
const venues = ['XNAS', 'XNYS', 'ARCX', 'BATS', 'EDGX', 'IEXG', 'XBOS', 'FINR']
const conditions = ['@', '@ T', '@ F', '@ T I', '@ I', '@ F I', '@ O X', '@ 6 X']

/** `count` symbols: the 20 of the standard data, or as many made-up ones. */
export const symbolsOf = (count) =>
  count <= tickers.length
    ? tickers.slice(0, count)
    : Array.from({ length: count }, (_, index) => `S${String(index).padStart(4, '0')}`)

/** 32 well mixed bits of a number, and of which of its facts is meant. */
const mixed = (number, fact) => {
  let bits = (Math.imul(number, 0x9e3779b1) ^ Math.imul(fact + 1, 0x85ebca6b)) >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d)
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b)
  return (bits ^ (bits >>> 16)) >>> 0
}

const hexadecimal = (number, fact) => mixed(number, fact).toString(16).padStart(8, '0')
const orderId = (number, fact) => hexadecimal(number, fact) + hexadecimal(number, fact + 1)

/**
 * Makes trades number 0 up to, and without, `rows`. `shuffled`: each falls into any of the hours; otherwise the hours
 * follow one another. `hours` and `symbols` decide how many paths there are.
 */
export const createTrades = ({ data, rows, shuffled, symbols = 20, hours = eventHours }) => {
  const names = symbolsOf(symbols)
  const wide = data === 'trades-400'
  const span = hours * hourMillis
  return {
    symbols: names,
    /** Which of the symbols a trade is of. */
    symbolOf: (number) => mixed(number, 0) % names.length,
    eventMillis: (number) =>
      firstEventMillis +
      (shuffled ? Math.floor((mixed(number, 1) / 2 ** 32) * span) : Math.floor((number / rows) * span)),
    /** The trade as JSON. */
    value(number) {
      const symbol = mixed(number, 0) % names.length
      const ticks = 1_000_000 + symbol * 50_000 + (mixed(number, 2) % 40_000)
      const size = 1 + (mixed(number, 3) % 900)
      const ts = this.eventMillis(number)
      const head = `{"symbol":"${names[symbol]}","price":${ticks / 10_000},"size":${size},"ts":${ts},"trade_id":${firstTradeId + number}`
      if (!wide) return `${head}}`
      const bits = mixed(number, 4)
      return (
        `${head},"venue":"${venues[bits & 7]}","currency":"USD","conditions":"${conditions[(bits >>> 3) & 7]}",` +
        `"tape":"${'ABC'[(bits >>> 6) % 3]}","sequence":${number},"participant_ts":${ts - ((bits >>> 8) & 15)},` +
        `"bid":${(ticks - 50) / 10_000},"ask":${(ticks + 50) / 10_000},` +
        `"bid_size":${100 + ((bits >>> 12) & 511)},"ask_size":${100 + ((bits >>> 21) & 511)},` +
        `"corrected":${(bits & 0x3ff) === 0},` +
        `"buy_order":"${orderId(number, 5)}","sell_order":"${orderId(number, 7)}","feed":"consolidated tape, plan ${'ABC'[(bits >>> 6) % 3]}, delayed by nothing"}`
      )
    },
  }
}
