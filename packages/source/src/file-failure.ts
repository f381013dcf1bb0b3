import { SchemaMismatchError, StockpipeError } from '@stockpipe/core'

const remedies: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read by this user',
}

/** Path of a file given as a path or a `file:` URL, for messages. */
export const fileName = (file: string | URL): string =>
  typeof file === 'string' ? file : decodeURIComponent(file.pathname)

/** A failure to open or read a file, as an error that names it. */
export const fileUnreadable = (file: string | URL, cause: unknown): StockpipeError => {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  const reason = remedies[code] ?? (cause as Error).message
  return new StockpipeError({
    code: 'FILE_UNREADABLE',
    message: `${fileName(file)} cannot be read: ${reason}.`,
    cause,
    facts: { file: fileName(file), system: code },
  })
}

/** A line that does not hold what it should, as an error that names file and line. */
export const lineUnfit = (
  file: string | URL,
  line: number,
  reason: string,
  options: { readonly code?: string; readonly cause?: unknown } = {},
): SchemaMismatchError =>
  new SchemaMismatchError({
    code: options.code ?? 'LINE_UNFIT',
    message: `${fileName(file)} line ${line}: ${reason}`,
    cause: options.cause,
    facts: { file: fileName(file), line },
  })

/** Runs the caller's row mapper, so that what it throws names file and line. */
export const mapRow = <Row>(file: string | URL, line: number, map: () => Row): Row => {
  try {
    return map()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw lineUnfit(file, line, `cannot become a row: ${reason}`, { cause })
  }
}
