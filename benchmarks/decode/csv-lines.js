/** 20 symbols, 4 hours; each case is one way a producer may write them. */
const trade = (number) => [
  `SYM${(number * 7) % 20}`,
  ((10_000 + ((number * 31) % 10_000)) / 100).toFixed(2),
  100 + ((number * 13) % 900),
  1_700_000_000_000 + ((number * 37) % 14_400_000),
  ['XNYS', 'XNAS', 'ARCX', 'BATS'][number % 4],
  900_000_000 + number,
]
const note = 'Reported by the facility on behalf of both sides of the trade; not last sale eligible. '
const quoted = (cell) => `"${String(cell).replaceAll('"', '""')}"`

/** Lines by name, each a text for the number of a trade. Columns: symbol, price, size, ts, venue, trade_id, then others. */
export const cases = {
  'trades of 50 bytes': (number) => trade(number).join(','),
  'trades of 250 bytes, half of it cells to skip': (number) =>
    [...trade(number), 'NASDAQ TRF CARTERET', '@FI', note.repeat(2), number].join(','),
  'decimals and times as text': (number) => {
    const [symbol, price, size, ts, ...rest] = trade(number)
    return [symbol, `${price}00`, size, new Date(ts).toISOString(), ...rest].join(',')
  },
  'every cell quoted': (number) => trade(number).map(quoted).join(','),
  'texts with quotes': (number) => {
    const [symbol, price, size, ts, venue, id] = trade(number)
    return [symbol, price, size, ts, quoted(`${venue}\n"${number % 50}"`), id].join(',')
  },
  'empty cells at times': (number) =>
    trade(number)
      .map((cell, index) => (index === 4 && number % 3 === 0 ? '' : cell))
      .join(','),
  'doubles of 17 digits': (number) => [...trade(number), Math.sin(number), Math.cos(number)].join(','),
  'texts that all differ': (number) => {
    const cells = trade(number)
    cells[4] = `order-${number * 7919}-${number}`
    return cells.join(',')
  },
}

/** The cells of a line as a plain program has them: by `split` where no cell is quoted, else character by character. */
export const plainCells = (line) => {
  if (!line.includes('"')) return line.split(',')
  const cells = []
  let cell = ''
  let open = false
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at]
    if (character === '"') {
      if (open && line[at + 1] === '"') {
        cell += '"'
        at += 1
      } else open = !open
    } else if (character === ',' && !open) {
      cells.push(cell)
      cell = ''
    } else cell += character
  }
  cells.push(cell)
  return cells
}
