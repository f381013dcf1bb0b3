/** The columns of a golden table with their kinds, after an alias. */
export const tradeColumns = (alias) =>
  [
    ['id', 'bigint'],
    ['size', 'bigint'],
    ['price', 'double'],
    ['px', 'decimal'],
    ['symbol', 'varchar'],
    ['side', 'varchar'],
    ['dt', 'varchar'],
    ['meta', 'json'],
    ['ts', 'timestamp'],
    ['tags', 'array'],
    ['attrs', 'map'],
  ].map(([name, type]) => [`${alias}${name}`, type])

export const quoteColumns = (alias) =>
  [
    ['ts', 'timestamp'],
    ['symbol', 'varchar'],
    ['bid', 'double'],
    ['ask', 'double'],
  ].map(([name, type]) => [`${alias}${name}`, type])
