import type { ServerResponse } from 'node:http'
import type { HttpRequest } from './http-request.ts'
import type { RequestBody } from './request-body.ts'

/** A request whose signature holds. Its body is verified as it is read. */
export interface VerifiedRequest extends HttpRequest {
  readonly body: RequestBody
  /** The region of the credential scope. */
  readonly region: string
  readonly requestId: string
}

/** A service that answers over its own protocol rather than JSON: S3. */
export interface StreamingService {
  /** The signing name of the service. */
  readonly signingName: string
  /** Answers one request; rejects with a `ServiceError` for a refusal, as long as no header was sent. */
  handle(request: VerifiedRequest, response: ServerResponse): Promise<void>
}
