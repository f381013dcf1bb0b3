import type { LocalAthena } from './local-athena.ts'

/** The table `trades`: three rows in two partitions. */
export const createTrades = (athena: LocalAthena) =>
  athena.run(
    `create table trades with (external_location = 's3://lake/trades/', partitioned_by = array['dt']) as
     select id, px, cast(symbol as varchar) as symbol, ts, cast(dt as varchar) as dt from (values
       (bigint '1', cast(10.5 as decimal(18,4)), 'AAPL', timestamp '2024-03-08 10:00:00.123', '2024-03-08'),
       (2, cast(20.25 as decimal(18,4)), null, timestamp '2024-03-08 11:00:00.000', '2024-03-08'),
       (3, null, 'MSFT', null, '2024-03-09')) as t (id, px, symbol, ts, dt)`,
  )
