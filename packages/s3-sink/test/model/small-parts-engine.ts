import { createEngine } from '../../src/engine.ts'
import type { Engine, EngineOptions, EngineRequest, EngineResponse } from '../../src/engine-messages.ts'

/** The real engine, its parts cut smaller than S3 allows, so that small files have several. */
export const smallPartsEngine =
  (partBytes: number) =>
  (options: EngineOptions): Engine => {
    const engine = createEngine(options)
    return {
      handle: (request: EngineRequest) =>
        request.kind === 'cut' ? cutSmaller(engine.handle(request), partBytes) : engine.handle(request),
      close: () => engine.close(),
    }
  }

function* cutSmaller(responses: Iterable<EngineResponse>, partBytes: number): Generator<EngineResponse> {
  for (const response of responses) {
    if (response.kind !== 'part') {
      yield response
      continue
    }
    const { bytes } = response
    for (let at = 0, partNumber = 1; at < bytes.length; at += partBytes, partNumber += 1) {
      const last = at + partBytes >= bytes.length
      yield { ...response, bytes: bytes.slice(at, at + partBytes), partNumber, last }
    }
  }
}
