import type { ColumnData } from './column-data.ts'

/** A part of an answer: rows as `stream` gives them, or, of an UNLOAD, the columns of its files. */
export type AnswerPart =
  | { readonly rows: readonly Record<string, unknown>[] }
  | { readonly length: number; readonly columns: readonly ColumnData[]; readonly queryExecutionId: string }

/** The method of an `Athena` that what makes Arrow of answers calls. */
export const answerParts: unique symbol = Symbol.for('@stockpipe/athena answerParts')
