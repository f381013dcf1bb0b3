import type { GenerationKind } from './compaction-record.ts'
import type { FileContent } from './engine-messages.ts'

/** Something that does not hold. */
export interface VerifyProblem {
  /** Such as `FILE_MISSING`; what programs match on. */
  readonly code: string
  readonly message: string
  /** The object at fault: `s3://bucket/key`. */
  readonly key: string
}

/** One partition log of a sink, as its chain tells it. Offsets are decimal text: a report is plain JSON. */
export interface VerifiedLog {
  readonly topic: string
  readonly partition: number
  readonly genesisStart: string
  /** Where the chain ends. */
  readonly next: string
  /** What the groups before offset `next` held that were pruned; all other counts are of the groups that are left. */
  readonly pruned: {
    readonly next: string
    readonly groups: number
    readonly records: number
    readonly rows: number
    readonly deadLetters: number
    readonly skipped: number
    readonly holeOffsets: string
    readonly files: number
    readonly bytes: number
  } | null
  readonly groups: number
  readonly records: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
  readonly files: number
  readonly bytes: number
  /** Offsets at which there was no record, and the runs `[from, to)` that entries list. */
  readonly holeOffsets: string
  readonly holes: readonly { readonly from: string; readonly to: string }[]
  /** Runs `[from, to)` that an operator gave up by a reset; they count as holes too. */
  readonly acceptedLosses: readonly { readonly from: string; readonly to: string }[]
  /** True when the newest group has its marker. */
  readonly settled: boolean
  /** Files of the newest group that are staged and claimed but not yet published. */
  readonly pendingFiles: readonly string[]
}

export interface VerifiedFile {
  readonly key: string
  readonly kind: FileContent
  readonly topic: string
  readonly partition: number
  readonly start: string
  readonly rows: number
  readonly bytes: number
  /** A compaction took its rows over, or a retirement gave them up: it may be gone. */
  readonly takenBy: GenerationKind | null
}

/** One generation of a compacted or retired partition. */
export interface VerifiedCompaction {
  readonly kind: GenerationKind
  /** `k1=v1/k2=v2`. */
  readonly partition: string
  readonly generation: number
  /** `claimed`: queries read the former files; `switched`: the new ones; `removed`: the former files are gone. */
  readonly state: 'claimed' | 'switched' | 'removed'
  /** As many before as after. */
  readonly rows: number
  readonly sourceFiles: number
  readonly files: number
  readonly bytes: number
  /** Of its record. */
  readonly key: string
}

/** A file that was published after its partition was compacted or retired: queries read its rows after the next compaction. */
export interface UnreadFile {
  readonly key: string
  readonly partition: string
  readonly rows: number
}

export interface VerifyTotals {
  readonly logs: number
  readonly groups: number
  readonly records: number
  readonly rows: number
  readonly deadLetters: number
  readonly skipped: number
  readonly holeOffsets: string
  readonly files: number
  readonly bytes: number
}

/** What `verifySink` found. */
export interface VerifyReport {
  /** True when there is no problem. */
  readonly ok: boolean
  /** `s3://bucket/journal/sink`. */
  readonly journal: string
  readonly sink: string
  readonly problems: readonly VerifyProblem[]
  readonly logs: readonly VerifiedLog[]
  /** Every file an entry names. */
  readonly files: readonly VerifiedFile[]
  /** Files under the table's location that no entry names; each is a problem too. */
  readonly unknownFiles: readonly string[]
  /** By partition, oldest first. */
  readonly compactions: readonly VerifiedCompaction[]
  /** No problem, but rows that queries miss until `stockpipe compact` has run. */
  readonly unreadFiles: readonly UnreadFile[]
  /** What compactors have left that did not come to claim; nobody reads them, the next compaction deletes them. */
  readonly abandonedFiles: readonly string[]
  readonly totals: VerifyTotals
}

/** Adds up the logs of a report. */
export const totalsOf = (logs: readonly VerifiedLog[]): VerifyTotals => {
  const sum = (read: (log: VerifiedLog) => number) => logs.reduce((total, log) => total + read(log), 0)
  return {
    logs: logs.length,
    groups: sum((log) => log.groups),
    records: sum((log) => log.records),
    rows: sum((log) => log.rows),
    deadLetters: sum((log) => log.deadLetters),
    skipped: sum((log) => log.skipped),
    holeOffsets: logs.reduce((total, log) => total + BigInt(log.holeOffsets), 0n).toString(),
    files: sum((log) => log.files),
    bytes: sum((log) => log.bytes),
  }
}

/** A report as text for people, one line a fact. */
export const formatVerifyReport = (report: VerifyReport): string => {
  const number = new Intl.NumberFormat('en-US')
  const lines = report.logs.map((log) => {
    const deadLetters = log.deadLetters === 0 ? '' : ` and ${number.format(log.deadLetters)} dead letters`
    const holes = log.holeOffsets === '0' ? '' : `, ${log.holeOffsets} offsets without a record`
    const pruned = log.pruned
      ? `, ${number.format(log.pruned.rows)} rows before offset ${log.pruned.next} pruned`
      : ''
    const lost = log.acceptedLosses.map(({ from, to }) => `, lost by reset: ${from} to ${to}`).join('')
    const pending =
      log.pendingFiles.length === 0 ? '' : `, ${log.pendingFiles.length} files not yet published`
    return (
      `${log.topic}-${log.partition}: offsets ${log.genesisStart} to ${log.next} in ${log.groups} groups, ` +
      `${number.format(log.rows)} rows${deadLetters} in ${log.files} files${holes}${lost}${pruned}${pending}`
    )
  })
  const { totals, problems, compactions, unreadFiles, abandonedFiles } = report
  for (const kind of ['compaction', 'retirement'] as const) {
    const some = compactions.filter((one) => one.kind === kind)
    if (some.length === 0) continue
    const of = (read: (one: VerifiedCompaction) => number) =>
      number.format(some.reduce((sum, one) => sum + read(one), 0))
    const states = (['claimed', 'switched', 'removed'] as const)
      .map((state) => [some.filter((one) => one.state === state).length, state] as const)
      .filter(([count]) => count > 0)
      .map(([count, state]) => `${count} ${state}`)
      .join(', ')
    const made =
      kind === 'compaction'
        ? `, ${of(({ rows }) => rows)} rows before and after, in ${of(({ files }) => files)} files`
        : `, ${of(({ rows }) => rows)} rows`
    lines.push(`${some.length} ${kind}s of ${of(({ sourceFiles }) => sourceFiles)} files (${states})${made}`)
  }
  if (unreadFiles.length > 0) {
    const partitions = new Set(unreadFiles.map(({ partition }) => partition))
    const rows = unreadFiles.reduce((sum, file) => sum + file.rows, 0)
    lines.push(
      `NOT READ BY QUERIES: ${number.format(rows)} rows in ${unreadFiles.length} files came after their ${partitions.size} partitions were compacted or retired (${[...partitions].slice(0, 3).join(', ')}); the next stockpipe compact takes them in`,
    )
  }
  if (abandonedFiles.length > 0)
    lines.push(
      `${abandonedFiles.length} files of compactors that ended before their claim; nobody reads them`,
    )
  lines.push(
    `${report.journal}: ${number.format(totals.records)} records, ${number.format(totals.rows)} rows, ${number.format(totals.deadLetters)} dead letters, ${totals.files} files, ${number.format(totals.bytes)} bytes`,
    ...problems.map(({ code, message }) => `${code}: ${message}`),
    problems.length === 0 ? 'everything holds' : `${problems.length} problems`,
  )
  return `${lines.join('\n')}\n`
}
