/** The number of letters to insert, delete, replace or swap to turn one word into the other. */
const distance = (left: string, right: string): number => {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const changed = rows[i - 1]![j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1)
      let least = Math.min(changed, rows[i - 1]![j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1)
      }
      row.push(least)
    }
    rows.push(row)
  }
  return rows[left.length]![right.length]!
}

/** The name that was probably meant: one that begins so, or is at most two letters away. */
export const nearestName = (typed: string, names: readonly string[]): string | undefined => {
  const near = names
    .map((name) => ({ name, away: name.startsWith(typed) ? 0 : distance(typed, name) }))
    .sort((left, right) => left.away - right.away)[0]
  return near !== undefined && near.away <= 2 && near.away < near.name.length ? near.name : undefined
}
