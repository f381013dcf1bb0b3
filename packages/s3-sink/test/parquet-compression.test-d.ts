import { expectTypeOf, it } from 'vitest'
import type { EngineOptions, ParquetCompression, SinkOptions } from '../src/index.ts'

it('compression is a codec Athena reads, zstd with a level if wanted, and nothing else', () => {
  expectTypeOf<SinkOptions['compression']>().toEqualTypeOf<ParquetCompression | undefined>()
  expectTypeOf<EngineOptions['compression']>().toEqualTypeOf<ParquetCompression | undefined>()
  const good: ParquetCompression[] = ['snappy', 'zstd', { codec: 'zstd', level: 9 }, 'gzip', 'none']
  expectTypeOf(good).items.toEqualTypeOf<ParquetCompression>()
  // @ts-expect-error Athena's engine does not read LZ4
  const lz4: ParquetCompression = 'lz4_raw'
  // @ts-expect-error only zstd has levels
  const gzip: ParquetCompression = { codec: 'gzip', level: 9 }
  // @ts-expect-error a level is named
  const zstd: ParquetCompression = { codec: 'zstd' }
  void [lz4, gzip, zstd]
})
