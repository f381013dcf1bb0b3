import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/workspace.js'
import { figuresTable, markdownTable } from './figures.js'
import { scalingTable } from './scaling.js'

const guide = join(root, 'docs', 'benchmarks.md')

const machineLine = ({ date, commit, services, node, processor, loadBefore }) =>
  `${date}, commit ${commit}: ${services}, Node ${node}, ${processor} for all of them; load before the first run ${loadBefore}.`

const killedTable = ({ figures }) =>
  markdownTable([
    ['contestant', 'times killed', 'lost', 'doubled'],
    ...Object.entries(figures).map(([name, { killed, lost, doubled }]) => [
      name,
      killed,
      lost.toLocaleString('en'),
      doubled.toLocaleString('en'),
    ]),
  ])

const judgedLines = ({ judged }) =>
  judged
    .map(({ dataSet, what, figure, holds }) => {
      const of = dataSet ? `${dataSet}: ` : ''
      return `- ${holds ? 'holds' : '**missed**'}: ${of}${what} (${Number(figure.toPrecision(3)).toLocaleString('en')})`
    })
    .join('\n')

const sections = {
  'whole-path': (result) =>
    [
      machineLine(result),
      ...result.sets.flatMap((set) => {
        const runs = Object.values(set.runs)[0].length
        const title = `\`${set.dataSet}\`: ${set.rows.toLocaleString('en')} trades of ${set.meanBytes.toFixed(0)} bytes, median of ${runs} run${runs === 1 ? '' : 's'} each.`
        const killed = set.killed && [
          `The same over ${set.killed.rows.toLocaleString('en')} rows, flushed every ${set.killed.rowsPerFlush.toLocaleString('en')}, killed with -9 at random and started again (seed ${set.killed.seed}):`,
          killedTable(set.killed),
        ]
        return [title, figuresTable(set.figures), ...(killed || [])]
      }),
      judgedLines(result),
    ].join('\n\n'),
  scaling: (result) => [machineLine(result), scalingTable(result.steps), judgedLines(result)].join('\n\n'),
}

/** Writes a result of today, and shows it in the guide in place of the former one. Answers the file. */
export const saveResult = (kind, result) => {
  const file = `benchmarks/results/${result.date}-${kind}.json`
  mkdirSync(join(root, 'benchmarks', 'results'), { recursive: true })
  writeFileSync(join(root, file), `${JSON.stringify(result, null, 2)}\n`)
  const [begin, end] = [`<!-- ${kind} -->`, `<!-- end of ${kind} -->`]
  const text = readFileSync(guide, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`docs/benchmarks.md has no place for ${kind}: '${begin}' and '${end}'`)
  const shown = `${begin}\n${sections[kind](result)}\n\n`
  writeFileSync(guide, text.slice(0, from) + shown + text.slice(to))
  return file
}
