import type { AvroEncoding } from './avro-encoding.ts'
import { type AvroRecord, type AvroSchema, avroTypeName } from './avro-schema.ts'
import { ConfigurationError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** What is resolved: a schema that was written with, and the encoding of the topic whose table reads. */
export interface AvroResolution {
  /** How a refusal begins. */
  readonly where: string
  readonly encoding: Pick<AvroEncoding, 'names' | 'timestamps'>
  /** Records that hold the one in hand. */
  readonly within: readonly AvroRecord[]
}

/** Throws why a schema and a table do not fit each other. */
export const refuseSchema = ({ where }: AvroResolution, path: string, reason: string): never => {
  throw new ConfigurationError({ code: 'AVRO_SCHEMA_UNSUITED', message: `${where}: '${path}' ${reason}.` })
}

/** A schema without its null: one that is null only has no `present`. */
export interface Nullability {
  readonly present: AvroSchema | undefined
  /** Branches of the union, 0 where there is none. */
  readonly branches: number
  /** The branch that is null, or -1. */
  readonly nullBranch: number
}

export const nullabilityOf = (schema: AvroSchema, path: string, resolution: AvroResolution): Nullability => {
  if (schema.type === 'null') return { present: undefined, branches: 0, nullBranch: -1 }
  if (schema.type !== 'union') return { present: schema, branches: 0, nullBranch: -1 }
  const { branches } = schema
  const present = branches.filter(({ type }) => type !== 'null')
  if (present.length > 1) {
    refuseSchema(resolution, path, `is a ${avroTypeName(schema)}; a column has one type, beside null`)
  }
  return {
    present: present[0],
    branches: branches.length,
    nullBranch: branches.findIndex(({ type }) => type === 'null'),
  }
}

export const notNullable = 'is null and not nullable'

/** Goes into a record; one that is entered already is refused. */
export const enterRecord = (record: AvroRecord, path: string, resolution: AvroResolution): AvroResolution => {
  if (resolution.within.includes(record)) {
    refuseSchema(
      resolution,
      path,
      `is of the recursive type ${record.name}; a column holds no value of its own type`,
    )
  }
  return { ...resolution, within: [...resolution.within, record] }
}

/** For each field of a record the position of the column or struct field it goes to, or -1. */
export const slotsOf = (
  { name: recordName, fields }: AvroRecord,
  targets: readonly { readonly name: string; readonly nullable: boolean }[],
  prefix: string,
  resolution: AvroResolution,
): number[] => {
  const slots: number[] = new Array(fields.length).fill(-1)
  targets.forEach(({ name, nullable }, slot) => {
    const path = prefix + name
    const member = resolution.encoding.names[path] ?? name
    const named = fields.findIndex((field) => field.name === member)
    const found = named >= 0 ? named : fields.findIndex(({ aliases }) => aliases.includes(member))
    if (found < 0) {
      if (nullable) return
      const near = nearestName(
        member,
        fields.map((field) => field.name),
      )
      refuseSchema(
        resolution,
        path,
        `is not nullable, and ${recordName} has no field "${member}"${near === undefined ? '' : `; is it "${near}"? Then say so in names`}`,
      )
    }
    if (slots[found] !== -1) {
      refuseSchema(
        resolution,
        path,
        `is the field "${fields[found]!.name}", as '${prefix}${targets[slots[found]!]!.name}' is`,
      )
    }
    slots[found] = slot
  })
  return slots
}
