import type { DatabaseIntrospector, Dialect, DialectAdapter, Driver, QueryCompiler } from 'kysely'
import type { Athena } from '../athena.ts'
import { AthenaAdapter } from './athena-adapter.ts'
import { AthenaDriver } from './athena-driver.ts'
import { AthenaIntrospector } from './athena-introspector.ts'
import { AthenaQueryCompiler } from './athena-query-compiler.ts'
import type { NamedSource } from './query-source.ts'
import type { RunSettings } from './run-settings.ts'

/** Kysely's way to Athena for some sources. */
export class AthenaDialect implements Dialect {
  readonly #athena: Athena
  readonly #named: ReadonlyMap<string, NamedSource>
  readonly #settings: RunSettings

  constructor(athena: Athena, named: ReadonlyMap<string, NamedSource>, settings: RunSettings) {
    this.#athena = athena
    this.#named = named
    this.#settings = settings
  }

  createDriver(): Driver {
    return new AthenaDriver(this.#athena, this.#settings)
  }

  createQueryCompiler(): QueryCompiler {
    return new AthenaQueryCompiler(this.#named, this.#settings.allowFullScan ?? false)
  }

  createAdapter(): DialectAdapter {
    return new AthenaAdapter()
  }

  createIntrospector(): DatabaseIntrospector {
    return new AthenaIntrospector(this.#athena, this.#settings.signal)
  }
}
