import { blockMemory, type PackedBytes, type RecordBatchBlock, type RecordBlock } from '@stockpipe/core'

type View = Uint8Array | Uint32Array | Int32Array | Float64Array

/** A block whose buffers are its own alone, and those buffers: sent with them, nothing of it is copied. */
export const transferableBlock = (
  block: RecordBlock,
): { readonly block: RecordBlock; readonly buffers: readonly ArrayBuffer[] } => {
  const buffers = new Set<ArrayBuffer>()
  const own = <V extends View>(view: V): V => {
    const { buffer } = view
    if (blockMemory.hasLent(buffer)) {
      buffers.add(buffer as ArrayBuffer)
      return view
    }
    // A part of a larger buffer: the rest of it is somebody else's, as in Node's pool of small buffers.
    const whole =
      buffer instanceof ArrayBuffer && view.byteLength === buffer.byteLength && !buffers.has(buffer)
    const kept = whole ? view : (view.slice() as V)
    buffers.add(kept.buffer as ArrayBuffer)
    return kept
  }
  const packed = ({ bytes, starts, lengths }: PackedBytes): PackedBytes => ({
    bytes: own(bytes),
    starts: own(starts),
    lengths: own(lengths),
  })
  const owned: RecordBlock = {
    ...block,
    values: packed(block.values),
    keys: packed(block.keys),
    timestamps: own(block.timestamps),
    offsetDeltas: own(block.offsetDeltas),
    ...(block.headers ? { headers: packed(block.headers) } : {}),
  }
  return { block: owned, buffers: [...buffers] }
}

/** The same for record batches. */
export const transferableBatches = ({
  batches,
}: RecordBatchBlock): { readonly batches: Uint8Array; readonly buffers: readonly ArrayBuffer[] } => {
  const own = blockMemory.hasLent(batches.buffer) ? batches : batches.slice()
  return { batches: own, buffers: [own.buffer as ArrayBuffer] }
}
