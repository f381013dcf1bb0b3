import { Decimal } from '@stockpipe/core'

const plain = (value: unknown): unknown =>
  typeof value === 'bigint' || Decimal.isDecimal(value) ? String(value) : value

const text = (row: object | undefined): string =>
  row === undefined
    ? 'no row'
    : JSON.stringify(
        Object.fromEntries(
          Object.entries(row)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([k, v]) => [k, plain(v)]),
        ),
      )

/** Collects what is not as it should be; every figure is compared to its last digit. */
export class SelfCheck {
  readonly #differences: string[] = []
  #checks = 0

  /** Figures compared so far. */
  get checks(): number {
    return this.#checks
  }

  get differences(): readonly string[] {
    return this.#differences
  }

  /** Two lists of rows, row by row. */
  rows(what: string, found: readonly object[], expected: readonly object[]): void {
    this.same(`${what}: number of rows`, found.length, expected.length)
    for (let index = 0; index < Math.max(found.length, expected.length); index++) {
      this.#checks += Object.keys(expected[index] ?? {}).length
      if (text(found[index]) === text(expected[index])) continue
      this.#differences.push(
        `${what}, row ${index + 1}: found ${text(found[index])}, expected ${text(expected[index])}`,
      )
      if (this.#differences.length > 20) return
    }
  }

  same(what: string, found: unknown, expected: unknown): void {
    this.#checks += 1
    if (plain(found) !== plain(expected))
      this.#differences.push(`${what}: found ${plain(found)}, expected ${plain(expected)}`)
  }

  /** Counts by name, such as rows per ticker. */
  counts(what: string, found: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>): void {
    for (const name of new Set([...found.keys(), ...expected.keys()])) {
      this.same(`${what}, ${name}`, found.get(name) ?? 0, expected.get(name) ?? 0)
    }
  }
}

/** How many rows there are of each symbol. */
export const countBySymbol = (rows: Iterable<{ readonly symbol: string }>): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { symbol } of rows) counts.set(symbol, (counts.get(symbol) ?? 0) + 1)
  return counts
}
