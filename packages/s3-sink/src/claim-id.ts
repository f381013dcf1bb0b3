import type { Runtime } from '@stockpipe/core'

const idBytes = 16

/** 128 random bits as 32 hex digits: new for every staging, never used again. */
export const newClaimId = (runtime: Runtime): string =>
  Buffer.from(runtime.randomBytes(idBytes)).toString('hex')

export const isClaimId = (text: string): boolean => /^[0-9a-f]{32}$/.test(text)
