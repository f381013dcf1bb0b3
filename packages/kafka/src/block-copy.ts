import type { PackedBytes, RecordBlock } from '@stockpipe/core'

// Not `bytes.slice()`: of a Buffer that would be a view of the same memory.
const copyOfPacked = ({ bytes, starts, lengths }: PackedBytes): PackedBytes => ({
  bytes: new Uint8Array(bytes),
  starts: starts.slice(),
  lengths: lengths.slice(),
})

/** A block with buffers of its own. */
export const copyOfBlock = (block: RecordBlock): RecordBlock => ({
  ...block,
  values: copyOfPacked(block.values),
  keys: copyOfPacked(block.keys),
  timestamps: block.timestamps.slice(),
  offsetDeltas: block.offsetDeltas.slice(),
  ...(block.headers && { headers: copyOfPacked(block.headers) }),
})
