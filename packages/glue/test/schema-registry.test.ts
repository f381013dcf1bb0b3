import { describe, expect, it } from 'vitest'
import { createGlueSchemaRegistry } from '../src/index.ts'
import { fakeGlue, serviceException } from './fake-glue.ts'
import { virtualRuntime } from './virtual-runtime.ts'

const id = '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9'

describe('the Glue schema registry', () => {
  it('gives the schema of a version', async () => {
    const { client, sent } = fakeGlue(() => ({
      SchemaVersionId: id,
      SchemaDefinition: '"string"',
      DataFormat: 'AVRO',
      Status: 'AVAILABLE',
    }))
    expect(await createGlueSchemaRegistry({ client }).schemaOf(id, {})).toEqual({ schema: '"string"' })
    expect(sent).toEqual([{ operation: 'GetSchemaVersion', input: { SchemaVersionId: id } }])
  })

  it('has no version only where Glue says so', async () => {
    const { client } = fakeGlue(() => {
      throw serviceException('EntityNotFoundException')
    })
    expect(await createGlueSchemaRegistry({ client }).schemaOf(id, {})).toBeNull()
    const denied = fakeGlue(() => {
      throw serviceException('AccessDeniedException')
    })
    await expect(createGlueSchemaRegistry(denied).schemaOf(id, {})).rejects.toMatchObject({
      name: 'GlueRequestError',
      retryable: false,
    })
  })

  it('may be asked again while it is throttled, cannot be reached, or checks the version', async () => {
    const runtime = virtualRuntime()
    const throttled = fakeGlue(() => {
      throw serviceException('ThrottlingException')
    })
    const asked = createGlueSchemaRegistry({ ...throttled, runtime }).schemaOf(id, {})
    await expect(asked).rejects.toMatchObject({ retryable: true })
    expect(throttled.sent).toHaveLength(6)
    const refused = fakeGlue(() => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    })
    const unavailable = { code: 'SCHEMA_REGISTRY_UNAVAILABLE', retryable: true }
    await expect(createGlueSchemaRegistry(refused).schemaOf(id, {})).rejects.toMatchObject(unavailable)
    const pending = fakeGlue(() => ({ Status: 'PENDING', SchemaDefinition: '"int"' }))
    await expect(createGlueSchemaRegistry(pending).schemaOf(id, {})).rejects.toMatchObject(unavailable)
    const deleting = fakeGlue(() => ({ Status: 'DELETING' }))
    await expect(createGlueSchemaRegistry(deleting).schemaOf(id, {})).rejects.toThrow(
      /its status is DELETING/,
    )
  })

  it('is given up with the signal', async () => {
    const { client, sent } = fakeGlue(() => ({}))
    const asked = createGlueSchemaRegistry({ client }).schemaOf(id, {
      signal: AbortSignal.abort(new Error('enough')),
    })
    await expect(asked).rejects.toThrow('enough')
    expect(sent).toEqual([])
  })
})
