import { MessageChannel } from 'node:worker_threads'

const { port1: port, port2: closed } = new MessageChannel()
closed.close()
port.unref()

/**
 * Frees the memory of bytes that nobody looks into any more, where all of a buffer is theirs: at once, while a garbage
 * collection comes only when much has gathered, and marks the whole heap. The bytes are none afterwards.
 */
export const freeMemory = ({ buffer, byteLength }: Uint8Array): void => {
  // Moved to where nobody listens.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) port.postMessage(undefined, [buffer])
}
