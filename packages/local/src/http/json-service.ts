/** A service that speaks AWS JSON 1.1 (Glue, Athena): `X-Amz-Target` names the operation. */
export interface JsonService {
  /** The signing name of the service: `glue` or `athena`. */
  readonly signingName: string
  /** Answers one call with the output shape as a JSON value, or throws a `ServiceError`. */
  handle(
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

/** A refusal that goes over the wire as AWS words it: `__type`, `Message`, and any further members. */
export class ServiceError extends Error {
  override readonly name: string
  readonly statusCode: number
  readonly members: Readonly<Record<string, unknown>>

  /** @param name the exception's shape name, such as `EntityNotFoundException` or `NoSuchKey` */
  constructor(
    name: string,
    message: string,
    options: { statusCode?: number; members?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = name
    this.statusCode = options.statusCode ?? 400
    this.members = options.members ?? {}
  }
}
