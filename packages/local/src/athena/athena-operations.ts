import type { InputMembers } from '../glue/input-members.ts'

/** The one data catalog of the local stack. */
export const catalogName = 'AwsDataCatalog'

type Output = Readonly<Record<string, unknown>>

/** Answers one operation with its output shape, or throws a `ServiceError`. */
export type AthenaOperation = (input: InputMembers) => Output | Promise<Output>

export type AthenaOperations = Readonly<Record<string, AthenaOperation>>
