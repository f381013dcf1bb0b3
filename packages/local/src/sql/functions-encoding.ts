import { createHash } from 'node:crypto'
import { FunctionFailure } from './decimal-arithmetic.ts'
import { type FunctionRule, type ParameterRule, takeArguments } from './function-call.ts'
import { nativeCall } from './native-call.ts'
import { bigintType, boundedVarchar, type TrinoType, varbinaryType, varcharType } from './trino-type.ts'
import type { PlainValue } from './value-text.ts'

function invalid(message: string): FunctionFailure {
  return new FunctionFailure('INVALID_FUNCTION_ARGUMENT', message)
}

function refuse(what: string): FunctionFailure {
  return new FunctionFailure('NOT_SUPPORTED', `The embedded Athena does not support ${what}`)
}

/** A function whose result has a type of its own, or the first argument's. */
function native(
  rules: readonly ParameterRule[],
  result: TrinoType | 'same',
  evaluate: (...values: never[]) => PlainValue,
): FunctionRule {
  return (call) => {
    const args = takeArguments(call, rules)
    const type = result === 'same' ? args[0]!.type : result
    return nativeCall(call.session, call.name, args, type, evaluate)
  }
}

function hash(algorithm: string): FunctionRule {
  return native([varbinaryType], varbinaryType, (bytes: Uint8Array) =>
    createHash(algorithm).update(bytes).digest(),
  )
}

function fromUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw refuse('from_utf8 of bytes that are no UTF-8')
  }
}

function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw invalid(`Invalid hex string: ${text}`)
  return Buffer.from(text, 'hex')
}

function fromBase64(text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    throw refuse(`from_base64 of '${text}'`)
  return Buffer.from(text, 'base64')
}

interface Url {
  readonly scheme: string
  readonly host: string
  readonly port: string | undefined
  readonly path: string
  readonly query: string | undefined
  readonly fragment: string | undefined
}

const plain = String.raw`[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9a-fA-F]{2}`
const urlPattern = new RegExp(
  String.raw`^([A-Za-z][A-Za-z0-9+.-]*)://([A-Za-z0-9.-]+)(?::(\d{1,5}))?((?:/(?:${plain})*)?)` +
    String.raw`(?:\?((?:${plain}|\?)*))?(?:#((?:${plain}|\?)*))?$`,
)
const hostPattern =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?|(?:(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])\.){3}(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5]))$/

/** The parts of a URL whose form is sure: what Java makes of others is not copied here. */
function urlOf(text: string): Url {
  const match = urlPattern.exec(text)
  if (match === null || !hostPattern.test(match[2]!)) throw refuse(`the URL '${text}'`)
  const [, scheme, host, port, path, query, fragment] = match
  return { scheme: scheme!, host: host!, port, path: path!, query, fragment }
}

/** A part as Java gives it, decoded. */
function decodedPart(part: string | undefined): string {
  if (part?.includes('%')) throw refuse('URLs with % in the part asked for')
  return part ?? ''
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw refuse(`decoding '${text}'`)
  }
}

function parameterOf(text: string, name: string): string | null {
  for (const argument of urlOf(text).query?.split('&') ?? []) {
    const at = argument.indexOf('=')
    if ((at < 0 ? argument : argument.slice(0, at)) === name)
      return at < 0 ? '' : decoded(argument.slice(at + 1))
  }
  return null
}

/** Spaces become +, all but letters, digits and -_.* their UTF-8. */
function urlEncoded(text: string): string {
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text))
    throw refuse('url_encode of half a surrogate pair')
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

export const encodingFunctions: Readonly<Record<string, FunctionRule>> = {
  from_utf8: native([varbinaryType], varcharType, fromUtf8),
  from_hex: native(['varchar'], varbinaryType, fromHex),
  from_base64: native(['varchar'], varbinaryType, fromBase64),
  md5: hash('md5'),
  sha1: hash('sha1'),
  sha256: hash('sha256'),
  sha512: hash('sha512'),
  url_extract_protocol: native(['varchar'], 'same', (text: string) => urlOf(text).scheme),
  url_extract_host: native(['varchar'], 'same', (text: string) => urlOf(text).host),
  url_extract_port: native(['varchar'], bigintType, (text: string) => {
    const { port } = urlOf(text)
    return port === undefined ? null : BigInt(port)
  }),
  url_extract_path: native(['varchar'], 'same', (text: string) => decodedPart(urlOf(text).path)),
  url_extract_query: native(['varchar'], 'same', (text: string) => decodedPart(urlOf(text).query)),
  url_extract_fragment: native(['varchar'], 'same', (text: string) => decodedPart(urlOf(text).fragment)),
  url_extract_parameter: native(['varchar', 'varchar'], 'same', parameterOf),
  url_encode: (call) => {
    const [text] = takeArguments(call, ['varchar'])
    const { length } = text!.type as TrinoType & { kind: 'varchar' }
    const type = length === undefined ? varcharType : boundedVarchar(Math.min(2_147_483_647, length * 12))
    return nativeCall(call.session, call.name, [text!], type, urlEncoded)
  },
  url_decode: native(['varchar'], 'same', decoded),
}
