import { DialectAdapterBase } from 'kysely'
import { refuse } from './refusal.ts'

/** What Kysely asks of a dialect beside its SQL. */
export class AthenaAdapter extends DialectAdapterBase {
  override async acquireMigrationLock(): Promise<void> {
    refuse('migrations', 'tables are made and evolved from their definitions by @stockpipe/glue')
  }

  override async releaseMigrationLock(): Promise<void> {}
}
