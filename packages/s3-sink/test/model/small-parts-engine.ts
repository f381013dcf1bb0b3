import { createSmallPartsEngine } from '../../src/engine.ts'
import type { Engine, EngineOptions, EngineResponse } from '../../src/engine-messages.ts'

/** The real engine with parts smaller than S3 allows and row groups of few rows, so that small groups are sent early. */
export const smallPartsEngine =
  (
    sizes: { readonly partBytes: number; readonly rowGroupRows: number },
    onEarlyPart: () => void = () => {},
  ) =>
  (options: EngineOptions): Engine => {
    const engine = createSmallPartsEngine({ ...options, ...sizes })
    return {
      handle(request) {
        const responses = engine.handle(request)
        return request.kind === 'block' ? counted(responses, onEarlyPart) : responses
      },
      close: () => engine.close(),
    }
  }

function* counted(responses: Iterable<EngineResponse>, onPart: () => void): Generator<EngineResponse> {
  for (const response of responses) {
    if (response.kind === 'part') onPart()
    yield response
  }
}
