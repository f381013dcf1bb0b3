/** Verdicts that count as answered: what Trino says, or an error where Trino has one. */
const answered = new Set(['equal', 'near', 'both err'])
const answeredShare = 0.95

/** A refusal's kind: without what differs from statement to statement. */
const kindOf = (detail) =>
  detail
    .replace(/^line \d+:\d+: /, '')
    .replace(/'[^']*'/g, "'…'")
    .slice(0, 90)

/** Counts verdicts, and says in the end whether they will do. */
export class Tally {
  #printsAll
  #parts = new Map()
  #kinds = new Map()

  constructor({ printsAll = false } = {}) {
    this.#printsAll = printsAll
  }

  add(part, { name, sql }, { verdict, detail }) {
    const counts = this.#parts.get(part) ?? new Map()
    this.#parts.set(part, counts)
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
    if (verdict === 'refused' || verdict === 'ours errs') {
      const kind = `${verdict}: ${kindOf(detail)}`
      this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1)
    }
    const isNews = verdict === 'wrong' || verdict === 'ours errs' || verdict === 'undecided'
    if (isNews || (this.#printsAll && (verdict === 'refused' || detail !== ''))) {
      console.log(`${verdict.toUpperCase()} ${part} ${name === sql ? '' : name}\n  ${sql}\n  ${detail}`)
    }
  }

  /** Prints what a part came to. */
  report(part, seconds) {
    const counts = this.#parts.get(part)
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
    const all = [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')
    console.log(`figure: ${part}: ${total} statements, ${all} (${seconds.toFixed(0)} s)`)
  }

  /** Prints what was not answered, by its kind; throws at any wrong answer and when too little was answered. */
  assert() {
    for (const [kind, count] of [...this.#kinds].sort(([, a], [, b]) => b - a))
      console.log(`${count} ${kind}`)
    const counts = [...this.#parts.values()].flatMap((part) => [...part])
    const sum = (isCounted) =>
      counts.reduce((total, [verdict, count]) => total + (isCounted(verdict) ? count : 0), 0)
    const decided = sum((verdict) => verdict !== 'undecided')
    const share = sum((verdict) => answered.has(verdict)) / decided
    const wrong = sum((verdict) => verdict === 'wrong')
    console.log(`figure: ${(share * 100).toFixed(1)} % answered, ${wrong} wrong`)
    if (wrong > 0) throw new Error(`${wrong} answers are wrong`)
    if (share < answeredShare) throw new Error(`less than ${answeredShare * 100} % are answered`)
  }
}
