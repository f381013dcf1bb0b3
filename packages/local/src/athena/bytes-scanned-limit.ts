/** A statement that has read more than its work group allows: it is cancelled, and nothing of it is kept. */
export class BytesScannedLimitError extends Error {
  override readonly name = 'BytesScannedLimitError'
  readonly scannedBytes: number

  constructor(scannedBytes: number) {
    super('Query cancelled! : Bytes scanned limit was exceeded')
    this.scannedBytes = scannedBytes
  }
}
