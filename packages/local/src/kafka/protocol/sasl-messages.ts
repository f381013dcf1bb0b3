import {
  arrayOf,
  bytes,
  int16,
  int64,
  nullableString,
  optional,
  since,
  string,
  struct,
} from './wire-types.ts'

export const saslHandshake = {
  request: struct({ mechanism: string }),
  response: struct({ errorCode: int16, mechanisms: arrayOf(string) }),
}

export const saslAuthenticate = {
  request: struct({ authBytes: bytes }),
  response: struct({
    errorCode: int16,
    errorMessage: nullableString,
    authBytes: bytes,
    /** 0: the session lasts as long as the connection. */
    sessionLifetimeMillis: since(1, optional(int64, 0), undefined),
  }),
}
