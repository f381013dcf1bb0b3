import { FunctionFailure } from './decimal-arithmetic.ts'

/** A pattern that means the same to Trino's engine and to JavaScript, with what it may be applied to. */
export interface PortablePattern {
  readonly expression: RegExp
  /** Fails for text on which the engines could differ. */
  readonly check: (text: string) => void
}

/**
 * Translates a pattern within the subset both engines read alike; undefined outside of it (look-around,
 * back-references, possessive quantifiers, flags other than a leading `(?i)`, nested classes, properties).
 */
export function portablePattern(pattern: string): PortablePattern | undefined {
  const ignoreCase = pattern.startsWith('(?i)')
  const source = ignoreCase ? pattern.slice('(?i)'.length) : pattern
  let translated = ''
  let needsAscii = ignoreCase
  let needsOneLine = false
  let rest = source
  const take = (expression: RegExp): RegExpExecArray | undefined => {
    const match = expression.exec(rest)
    if (match === null) return undefined
    rest = rest.slice(match[0].length)
    return match
  }
  while (rest !== '') {
    const quantifier = take(/^(?:[*+?]|\{\d+(?:,\d*)?\})\??/)
    if (quantifier !== undefined) {
      // Another quantifier here would be a possessive one.
      if (translated === '' || /[(|]$/.test(translated) || /^[*+?{]/.test(rest)) return undefined
      translated += quantifier[0]
      continue
    }
    const character = take(/^\[(\^?)((?:\\[dDsSwW\\\].^$*+?(){}|/-]|[^\\[\]&])+)\]/)
    if (character !== undefined) {
      if (/\\[dDsSwW]/.test(character[2]!)) needsAscii = true
      translated += `[${character[1]}${character[2]!.replaceAll(/\\([.$*+?(){}|/])/g, (_, escaped: string) => (escaped === '/' ? '\\/' : `\\${escaped}`))}]`
      continue
    }
    const escaping = take(/^\\(?:([dDsSwWbB])|([\\\]\\[.^$*+?(){}|])|([tnr])|([-_/:,;=!<>@#%&"'~` ]))/)
    if (escaping !== undefined) {
      if (escaping[1] !== undefined) needsAscii = true
      translated += escaping[4] ?? escaping[0]
      continue
    }
    const group = take(/^\((?:\?:)?(?!\?)|^[)|]/)
    if (group !== undefined) {
      translated += group[0]
      continue
    }
    const anchor = take(/^[.^$]/)
    if (anchor !== undefined) {
      needsOneLine = true
      translated += anchor[0]
      continue
    }
    const plain = take(/^[^\\[\](){}*+?.^$|]/u)
    if (plain === undefined) return undefined
    translated += plain[0] === '/' ? '\\/' : plain[0]
  }
  try {
    const expression = new RegExp(translated, ignoreCase ? 'giu' : 'gu')
    return { expression, check: (text) => check(text, pattern, needsAscii, needsOneLine) }
  } catch {
    return undefined
  }
}

function check(text: string, pattern: string, needsAscii: boolean, needsOneLine: boolean): void {
  const differs =
    (needsAscii && /[^\0-\x7f]/.test(text)) || (needsOneLine && /[\n\r\u0085\u2028\u2029]/.test(text))
  if (differs)
    throw new FunctionFailure(
      'NOT_SUPPORTED',
      `The embedded Athena does not match '${pattern}' against such text`,
    )
}

/** The replacement of regexp_replace as a function; undefined for forms without a rule. */
export function portableReplacement(
  replacement: string,
): ((groups: readonly (string | undefined)[]) => string) | undefined {
  const parts: (string | number)[] = []
  let rest = replacement
  while (rest !== '') {
    const match = /^(?:\$(\d)(?!\d)|\\([\\$])|([^\\$]+))/.exec(rest)
    if (match === null) return undefined
    parts.push(match[1] !== undefined ? Number(match[1]) : (match[2] ?? match[3])!)
    rest = rest.slice(match[0].length)
  }
  return (groups) => parts.map((part) => (typeof part === 'number' ? (groups[part] ?? '') : part)).join('')
}
