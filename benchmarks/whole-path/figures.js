const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const rounded = (number, digits) => Number(number.toPrecision(digits))

/** One run as figures a person compares. */
export const figuresOf = (run) => ({
  rowsPerSecond: Math.round(run.rows / run.seconds),
  cpuPerMillion: rounded((run.cpuSeconds / run.rows) * 1e6, 3),
  steadyCpuPerMillion: rounded((run.steadyCpuSeconds / run.rows) * 1e6, 3),
  peakMegabytes: Math.round(run.peakMegabytes),
  ...(run.lagMillis !== undefined && { lagMillis: Math.round(run.lagMillis) }),
  ...(run.objects !== undefined && { objects: run.objects, megabytes: rounded(run.bytes / 1e6, 3) }),
  ...(run.requests && { requests: Object.values(run.requests).reduce((sum, count) => sum + count, 0) }),
  ...(run.lost !== undefined && { lost: run.lost, doubled: run.doubled }),
})

/** The median of each figure over several runs; lost and doubled rows are added up. */
export const medianFigures = (runs) => {
  const all = runs.map(figuresOf)
  return Object.fromEntries(
    Object.keys(all[0]).map((name) => {
      const numbers = all.map((figures) => figures[name])
      const added = name === 'lost' || name === 'doubled'
      return [name, added ? numbers.reduce((sum, number) => sum + number, 0) : median(numbers)]
    }),
  )
}

const number = (value, digits = 0) =>
  value === undefined ? '–' : value.toLocaleString('en', { maximumFractionDigits: digits })

/** Markdown of a table: a header and rows of cells, padded so that a terminal shows it too. */
export const markdownTable = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)))
  const lines = rows.map((row) => `| ${row.map((cell, at) => String(cell).padEnd(widths[at])).join(' | ')} |`)
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return lines.join('\n')
}

/** The table of one data set. */
export const figuresTable = (figures) =>
  markdownTable([
    [
      'contestant',
      'rows/s',
      'CPU s/1M rows',
      'steady',
      'peak RSS MB',
      'loop lag p99 ms',
      'objects',
      'MB',
      'S3 requests',
      'lost',
      'doubled',
    ],
    ...Object.entries(figures).map(([name, of]) => [
      name,
      number(of.rowsPerSecond),
      number(of.cpuPerMillion, 2),
      number(of.steadyCpuPerMillion, 2),
      number(of.peakMegabytes),
      number(of.lagMillis),
      number(of.objects),
      number(of.megabytes, 1),
      number(of.requests),
      number(of.lost),
      number(of.doubled),
    ]),
  ])
