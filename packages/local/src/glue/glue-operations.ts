import type { InputMembers } from './input-members.ts'

/** The account every resource of the local stack belongs to. */
export const accountId = '000000000000'

/** Answers one operation with its output shape, or throws a `ServiceError`. */
export type GlueOperation = (input: InputMembers) => Readonly<Record<string, unknown>>

export type GlueOperations = Readonly<Record<string, GlueOperation>>
