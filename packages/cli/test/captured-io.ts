import type { CommandIO } from '../src/index.ts'

/** What a command reads and writes, kept for a test to look at. */
export const capturedIO = (
  env: Record<string, string | undefined> = {},
  signal: AbortSignal = new AbortController().signal,
): CommandIO & { out(): string; err(): string } => {
  const written = { out: '', err: '' }
  const into = (name: 'out' | 'err') => ({ write: (text: string) => (written[name] += text) })
  return {
    stdout: into('out'),
    stderr: into('err'),
    env,
    signal,
    out: () => written.out,
    err: () => written.err,
  }
}
