/**
 * An object store that keeps the journal in memory and throws data away: what a run costs without its S3 requests. Only
 * for the scaling runs.
 */
export class DiscardingStore {
  #objects = new Map()
  #uploads = 0

  async putIfAbsent(key, body) {
    if (this.#objects.has(key)) return 'exists'
    this.#objects.set(key, body.slice())
    return 'created'
  }

  async get(key) {
    return this.#objects.get(key)
  }

  async head(key) {
    const body = this.#objects.get(key)
    return body && { size: body.length, etag: '"object"', metadata: {} }
  }

  async delete(key) {
    this.#objects.delete(key)
  }

  async *list(prefix) {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort()
    for (const key of keys) yield { key, size: this.#objects.get(key).length, etag: '"object"' }
  }

  async createUpload() {
    this.#uploads += 1
    return { uploadId: `upload-${this.#uploads}` }
  }

  async uploadPart() {
    return { etag: '"part"' }
  }

  async completeUpload() {
    return 'completed'
  }

  async abortUpload() {}

  async *listUploads() {}

  async *listParts() {}
}
