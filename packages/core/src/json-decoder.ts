import type { Decoder, DecoderOptions } from './decoder.ts'
import { jsonCellReader } from './json-cell.ts'
import type { JsonEncoding } from './json-encoding.ts'
import { JsonRowReader } from './json-reference.ts'
import { canGenerateCode, createGeneratedRowScanner } from './json-row-code.ts'
import { createRowScanner, type ScannedMember } from './json-row-scanner.ts'
import { jsonValueScanner } from './json-value-scanner.ts'
import { createRowDecoder } from './row-decoder.ts'
import type { TableDefinition } from './table.ts'

/**
 * A decoder of values that are JSON objects, from their bytes straight into columns. What is odd goes to the exact
 * reader, value by value or record by record; that reader alone rejects.
 *
 * @param options `generateCode`: default where it is allowed; both ways give the same. `learnAfter`: see
 *   `createGeneratedRowScanner`
 */
export const createJsonDecoder = (
  table: TableDefinition,
  encoding: JsonEncoding,
  options: DecoderOptions & { readonly generateCode?: boolean; readonly learnAfter?: number } = {},
): Decoder => {
  const { generateCode = canGenerateCode(), learnAfter = 512, ...others } = options
  return createRowDecoder(table.columns, {
    ...others,
    exact: new JsonRowReader(table, encoding),
    text: true,
    scanner(writers) {
      const members: ScannedMember[] = []
      table.columns.forEach((column, slot) => {
        if (column.metadata) return
        const writer = writers[slot]!
        const format = encoding.timestamps[column.name]
        members.push({
          name: encoding.names[column.name] ?? column.name,
          scan: jsonValueScanner({ column, format, writer, readCell: jsonCellReader(column, encoding) }),
          setNull: column.nullable ? (row) => writer.setNull(row) : undefined,
        })
      })
      return generateCode ? createGeneratedRowScanner(members, learnAfter) : createRowScanner(members).scan
    },
  })
}
