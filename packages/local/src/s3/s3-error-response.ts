import type { ServerResponse } from 'node:http'
import type { ServiceError } from '../http/json-service.ts'
import { element } from './s3-xml.ts'

/** Answers a refusal as S3 does; without a body where the method or the status forbids one. */
export const writeS3Error = (
  response: ServerResponse,
  error: ServiceError,
  request: { readonly method: string; readonly resource: string; readonly requestId: string },
): void => {
  const members = Object.entries(error.members).map(([name, value]) =>
    element(name, value === undefined ? undefined : String(value)),
  )
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${[
    element('Code', error.name),
    element('Message', error.message),
    ...members,
    element('Resource', request.resource),
    element('RequestId', request.requestId),
    element('HostId', 'stockpipe'),
  ].join('')}</Error>`
  const body = request.method === 'HEAD' ? Buffer.alloc(0) : Buffer.from(document)
  response.writeHead(error.statusCode, {
    'content-type': 'application/xml',
    ...(request.method === 'HEAD' ? {} : { 'content-length': String(body.length) }),
  })
  response.end(body)
}
