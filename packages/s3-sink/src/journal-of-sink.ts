import type { BoundTable } from '@stockpipe/core'
import type { JournalAccessOptions } from './journal-access.ts'
import { givenObjectSettings } from './object-settings.ts'
import type { SinkOptions } from './sink-options.ts'

/** Where a sink keeps its journal: `s3://bucket/prefix`, without the sink's name. */
export const journalLocation = ({ journal, table }: Pick<SinkOptions, 'journal' | 'table'>): string =>
  journal ?? `s3://${table.bucket}/_stockpipe/journal/`

/** How `verifySink` and other tools reach the journal of a sink, from the options the sink is made with. */
export const journalOfSink = (
  options: SinkOptions,
): JournalAccessOptions & { readonly table: BoundTable } => {
  const { client, store, journalStore = store } = options
  return {
    journal: journalLocation(options),
    sink: options.name,
    table: options.table,
    ...(client && { client }),
    ...(journalStore && { store: journalStore }),
    ...(store && { tableStore: store }),
    ...givenObjectSettings(options),
  }
}
