import { readFile } from 'node:fs/promises'

/** State and start time of a process, fields 3 and 22 of its stat; undefined without /proc or such a process. */
export const processFacts = async (
  pid: number,
): Promise<{ readonly state: string | undefined; readonly startTicks: string | undefined }> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command's name stands in parentheses and may hold spaces and parentheses itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0], startTicks: fields[19] }
}
