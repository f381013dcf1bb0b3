import { contestants } from './contestants.js'
import { standardData } from './data-sets.js'

/** What a run over the standard data must show, each line with what it is measured by. */
const lines = [
  {
    what: "stockpipe's CPU is at most a third of Python's",
    limit: 1 / 3,
    figure: ({ stockpipe, python }) => stockpipe && python && stockpipe.cpuPerMillion / python.cpuPerMillion,
  },
  {
    what: "stockpipe's CPU is at most a fifth of kafkajs eachMessage's",
    limit: 1 / 5,
    figure: ({ stockpipe, 'kafkajs-each-message': rival }) =>
      stockpipe && rival && stockpipe.cpuPerMillion / rival.cpuPerMillion,
  },
  {
    what: 'stockpipe needs at most 1.6 CPU s a million rows with SNAPPY',
    limit: 1.6,
    figure: ({ stockpipe }) => stockpipe?.cpuPerMillion,
  },
  {
    what: 'stockpipe needs at most 1.9 CPU s a million rows with ZSTD',
    limit: 1.9,
    figure: ({ 'stockpipe-zstd': zstd }) => zstd?.cpuPerMillion,
  },
  {
    what: 'stockpipe moves at least 500,000 rows a second',
    atLeast: 500_000,
    figure: ({ stockpipe }) => stockpipe?.rowsPerSecond,
  },
  {
    what: "stockpipe's peak resident memory is under 350 MB",
    limit: 350,
    figure: ({ stockpipe }) => stockpipe?.peakMegabytes,
  },
  {
    what: "stockpipe's event-loop lag is under 60 ms at p99",
    limit: 60,
    figure: ({ stockpipe }) => stockpipe?.lagMillis,
  },
]

/** A rival that needs more than this times what it can do is badly set up, or the machine is busy. */
const allowance = 1.2

/** Whether the figures of a data set hold: `{ what, figure, holds }` for each line that was measured. */
export const judge = (dataSet, figures) => {
  const judged = []
  if (dataSet === standardData) {
    for (const { what, limit, atLeast, figure: of } of lines) {
      const figure = of(figures)
      if (figure === undefined) continue
      judged.push({ what, figure, holds: atLeast === undefined ? figure <= limit : figure >= atLeast })
    }
    for (const [name, { referenceCpuSeconds }] of Object.entries(contestants)) {
      const figure = figures[name]?.cpuPerMillion
      if (referenceCpuSeconds === undefined || figure === undefined) continue
      judged.push({
        what: `${name} needs at most ${allowance} times the ${referenceCpuSeconds} CPU s a million it can do with; otherwise mend it, or compare on a quieter machine`,
        figure,
        holds: figure <= allowance * referenceCpuSeconds,
      })
    }
  }
  for (const [name, { lost, doubled }] of Object.entries(figures)) {
    judged.push({
      what: `${name} loses and doubles nothing`,
      figure: lost + doubled,
      holds: lost + doubled === 0,
    })
  }
  return judged
}
