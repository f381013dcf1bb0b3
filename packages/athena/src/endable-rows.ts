import { CallPatience } from './call-patience.ts'

/**
 * Rows whose `return` reaches what is under way: the signal given to `rowsUntil` is aborted, where that of a plain
 * generator would wait for the row that is asked for. Nothing begins before the first row is asked for.
 */
export const endableRows = <Row>(
  signal: AbortSignal | undefined,
  rowsUntil: (signal: AbortSignal) => AsyncGenerator<Row, void>,
): AsyncGenerator<Row, void> => {
  let patience: CallPatience | undefined
  let rows: AsyncGenerator<Row, void> | undefined
  const ended = new Error('The rows are wanted no more.')
  const settled = async (step: Promise<IteratorResult<Row, void>>): Promise<IteratorResult<Row, void>> => {
    try {
      const result = await step
      if (result.done) patience?.close()
      return result
    } catch (error) {
      patience?.close()
      if (error !== ended) throw error
      return { done: true, value: undefined }
    }
  }
  const begun = () => {
    patience ??= new CallPatience(signal)
    rows ??= rowsUntil(patience.signal)
    return rows
  }
  const end = () => {
    const left = begun()
    patience?.abort(ended)
    return settled(left.return())
  }
  return {
    // Rows that have come are not handed out either.
    next: () => settled(signal?.aborted ? begun().throw(signal.reason) : begun().next()),
    return: end,
    throw: (error: unknown) => settled(begun().throw(error)),
    [Symbol.asyncIterator]() {
      return this
    },
    async [Symbol.asyncDispose]() {
      await end()
    },
  }
}
