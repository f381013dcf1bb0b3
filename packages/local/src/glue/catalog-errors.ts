import { ServiceError } from '../http/json-service.ts'

export const entityNotFound = (message: string): ServiceError =>
  new ServiceError('EntityNotFoundException', message)
export const alreadyExists = (message: string): ServiceError =>
  new ServiceError('AlreadyExistsException', message)
export const invalidInput = (message: string): ServiceError =>
  new ServiceError('InvalidInputException', message)
export const limitExceeded = (message: string): ServiceError =>
  new ServiceError('ResourceNumberLimitExceededException', message)

/** How Glue tells of one item that a batch could not do. */
export const errorDetail = (error: ServiceError) => ({ ErrorCode: error.name, ErrorMessage: error.message })
