import type { DescribedLog } from '@stockpipe/s3-sink'

const number = new Intl.NumberFormat('en-US')

/** JSON with offsets as text. */
export const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member), 2)}\n`

/** The journal of each partition log, a line a fact. */
export const journalText = (logs: readonly DescribedLog[]): string => {
  if (logs.length === 0) return 'There is no genesis here: no partition log has begun.\n'
  return logs.map(logText).join('')
}

const logText = (log: DescribedLog): string => {
  const { genesis, checkpoint, entries, entryCount, next, settled } = log
  const begun = genesis
    ? `began at offset ${genesis.start} (${genesis.policy}, ${genesis.createdAt}, by ${genesis.writer})`
    : 'has no genesis'
  const pruned = checkpoint
    ? `  pruned: ${number.format(checkpoint.pruned.rows)} rows in ${number.format(checkpoint.pruned.groups)} groups before offset ${checkpoint.next}\n`
    : ''
  const shown = entries.map(
    ({ start, next, counts, files, holes, cutBy, createdAt, writer }) =>
      `  [${start}, ${next}) ${number.format(counts.rows)} rows in ${number.format(files.length)} files, ` +
      `${number.format(counts.deadLetters)} dead letters, ${holes.offsets} offsets without a record; cut by ${cutBy}, ${createdAt}, by ${writer}\n`,
  )
  return (
    `${log.topic}-${log.partition}: ${begun}; goes on at ${next}; ` +
    `${number.format(entryCount)} entries, the newest ${settled ? 'settled' : 'not settled yet'}\n` +
    pruned +
    shown.join('')
  )
}
