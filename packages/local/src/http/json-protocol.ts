import type { ServerResponse } from 'node:http'
import type { Durability } from '../durability.ts'
import { type JsonService, ServiceError } from './json-service.ts'

const targetPrefixes: Readonly<Record<string, string>> = { glue: 'AWSGlue', athena: 'AmazonAthena' }

/** How the JSON protocol names what fails before a service is asked; the signature check speaks S3's names. */
const protocolNames: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'UnrecognizedClientException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
  RequestTimeTooSkewed: 'InvalidSignatureException',
  AuthorizationHeaderMalformed: 'IncompleteSignatureException',
  AuthorizationQueryParametersError: 'IncompleteSignatureException',
  AccessDenied: 'IncompleteSignatureException',
  InvalidURI: 'SerializationException',
}

const protocolMessages: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'The security token included in the request is invalid.',
  RequestTimeTooSkewed: 'Signature expired: the request time is over 15 minutes from the current time.',
}

const contentType = 'application/x-amz-json-1.1'

/** Answers one call of a JSON 1.1 service, once what the answer may tell of is settled. Rejects with a `ServiceError`. */
export const handleJsonCall = async (
  service: JsonService,
  target: string | undefined,
  body: Buffer,
  response: ServerResponse,
  durability: Durability,
): Promise<void> => {
  const [prefix, operation] = target?.split('.') ?? []
  if (!operation || prefix !== targetPrefixes[service.signingName]) {
    throw new ServiceError(
      'UnknownOperationException',
      `X-Amz-Target must be ${targetPrefixes[service.signingName]}.<operation> for ${service.signingName}.`,
    )
  }
  let input: unknown
  try {
    input = body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new ServiceError('SerializationException', 'The request body is not JSON.', { cause })
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ServiceError('SerializationException', 'The request body is not a JSON object.')
  }
  const output = await service.handle(operation, input as Record<string, unknown>)
  await durability.settled()
  writeJson(response, 200, output)
}

/** Answers a refusal as the JSON 1.1 services do. */
export const writeJsonError = (response: ServerResponse, error: ServiceError): void => {
  const name = protocolNames[error.name] ?? error.name
  writeJson(response, name === error.name ? error.statusCode : 400, {
    ...error.members,
    __type: name,
    Message: protocolMessages[error.name] ?? error.message,
  })
}

const writeJson = (response: ServerResponse, statusCode: number, value: unknown): void => {
  const body = Buffer.from(JSON.stringify(value))
  response.writeHead(statusCode, { 'content-type': contentType, 'content-length': String(body.length) })
  response.end(body)
}
