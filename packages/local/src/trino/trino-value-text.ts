import { javaNumberText } from '../sql/number-text.ts'
import { notSupported } from '../sql/query-failure.ts'
import { entriesOf, listOf, objectOf, type TrinoJson, textOf } from './trino-json.ts'

/** A type as Trino's answers carry it: `rawType` and its arguments. */
export interface TrinoSignature {
  readonly rawType: string
  /** Of an array, a map and a row; the names are those of a row's fields. */
  readonly inner: readonly { readonly name?: string | undefined; readonly type: TrinoSignature }[]
}

/** Reads the `typeSignature` of a column. */
export function signatureOf(value: TrinoJson | undefined): TrinoSignature {
  const signature = objectOf(value)
  return {
    rawType: textOf(signature['#rawType']) ?? '',
    inner: listOf(signature['#arguments']).flatMap((argument) => {
      const { '#kind': kind, '#value': inner } = objectOf(argument)
      if (kind === 'TYPE') return [{ type: signatureOf(inner) }]
      if (kind !== 'NAMED_TYPE') return []
      const { '#fieldName': fieldName, '#typeSignature': type } = objectOf(inner)
      return [{ name: textOf(objectOf(fieldName)['#name']), type: signatureOf(type) }]
    }),
  }
}

/**
 * The text Athena gives for a value in an answer of Trino; null for NULL.
 * What Trino gives as text in Athena's form already, such as decimals and times, stays as it is.
 */
export function trinoValueText(value: TrinoJson, type: TrinoSignature): string | null {
  if (value === null) return null
  switch (type.rawType) {
    case 'double':
      return javaNumberText(Number(value), 'double')
    case 'real':
      return javaNumberText(Math.fround(Number(value)), 'real')
    case 'varbinary':
      return [...Buffer.from(String(value), 'base64')]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(' ')
    case 'array':
      return `[${listOf(value)
        .map((item) => innerText(item, type.inner[0]?.type))
        .join(', ')}]`
    case 'map':
      return `{${entriesOf(objectOf(value))
        .map(
          ([key, item]) => `${innerText(key, type.inner[0]?.type)}=${innerText(item, type.inner[1]?.type)}`,
        )
        .join(', ')}}`
    case 'row':
      return `{${listOf(value)
        .map((item, at) => {
          const field = type.inner[at]
          return `${field?.name ?? `field${at}`}=${innerText(item, field?.type)}`
        })
        .join(', ')}}`
    default:
      if (typeof value === 'object') throw notSupported(`the type ${type.rawType} in an answer of Trino`)
      return String(value)
  }
}

/** Without quotes or escapes, as Athena writes it: a string `null` and a NULL look alike. */
function innerText(value: TrinoJson, type: TrinoSignature = { rawType: '', inner: [] }): string {
  if (type.rawType === 'varbinary') throw notSupported('varbinary within arrays, maps and rows of an answer')
  return trinoValueText(value, type) ?? 'null'
}
