/** A JSON value of a member or element, by its text; strings are unescaped. */
export interface JsonToken {
  kind: 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array'
  /** The string's value, or the value's text as it stands in the document. */
  text: string
}

/** Where and why a text is not the JSON object it should be. */
export class JsonSyntaxProblem {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const plainString = /[^"\\\u0000-\u001f]*/y
const maxDepth = 512

/**
 * Reads the members of one JSON object, or the elements of one array, without making it: numbers keep their text, so that int64 and decimals stay
 * exact. It accepts exactly what JSON.parse accepts (held by a fuzz test), except nesting deeper than 512.
 */
export class JsonReader {
  #text = ''
  #position = 0

  /**
   * Calls `onMember` for each member of the document's object, in order.
   * Answers a problem when the text is not one JSON object.
   */
  readObject(
    text: string,
    onMember: (name: string, token: JsonToken) => void,
  ): JsonSyntaxProblem | undefined {
    return this.#readDocument(text, '{', 'an object', () => this.#readMembers(0, onMember))
  }

  /** Calls `onElement` for each element of the document's array, in order. Answers a problem when it is not one. */
  readArray(text: string, onElement: (token: JsonToken) => void): JsonSyntaxProblem | undefined {
    return this.#readDocument(text, '[', 'an array', () => this.#readElements(0, onElement))
  }

  /** The one value of the document, or a problem when it is not JSON. */
  readValue(text: string): JsonToken | JsonSyntaxProblem {
    this.#text = text
    this.#position = 0
    try {
      this.#skipSpace()
      const token = this.#readToken(0)
      this.#expectEnd()
      return token
    } catch (problem) {
      if (problem instanceof JsonSyntaxProblem) return problem
      throw problem
    }
  }

  #readDocument(
    text: string,
    opening: '{' | '[',
    what: string,
    read: () => void,
  ): JsonSyntaxProblem | undefined {
    this.#text = text
    this.#position = 0
    try {
      this.#skipSpace()
      if (this.#text[this.#position] !== opening) {
        this.#skipValue(0)
        this.#expectEnd()
        return new JsonSyntaxProblem(`the value is JSON but not ${what}`)
      }
      read()
      this.#expectEnd()
      return undefined
    } catch (problem) {
      if (problem instanceof JsonSyntaxProblem) return problem
      throw problem
    }
  }

  #fail(reason: string): never {
    throw new JsonSyntaxProblem(`${reason} at character ${this.#position}`)
  }

  #expectEnd(): void {
    this.#skipSpace()
    if (this.#position < this.#text.length) this.#fail('the value is not JSON: text after its end')
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#position)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.#position += 1
    }
  }

  #readMembers(depth: number, onMember: ((name: string, token: JsonToken) => void) | undefined): void {
    if (depth > maxDepth) this.#fail(`the value is nested deeper than ${maxDepth} levels`)
    this.#position += 1
    this.#skipSpace()
    if (this.#text[this.#position] === '}') {
      this.#position += 1
      return
    }
    for (;;) {
      if (this.#text[this.#position] !== '"') this.#fail('the value is not JSON: a member name was expected')
      const name = this.#readString()
      this.#skipSpace()
      if (this.#text[this.#position] !== ':') this.#fail('the value is not JSON: a colon was expected')
      this.#position += 1
      this.#skipSpace()
      if (onMember) onMember(name, this.#readToken(depth + 1))
      else this.#skipValue(depth + 1)
      this.#skipSpace()
      const next = this.#text[this.#position]
      this.#position += 1
      if (next === '}') return
      if (next !== ',') {
        this.#position -= 1
        this.#fail('the value is not JSON: a comma or a closing brace was expected')
      }
      this.#skipSpace()
    }
  }

  #readToken(depth: number): JsonToken {
    const start = this.#position
    if (this.#text[start] === '"') return { kind: 'string', text: this.#readString() }
    const kind = this.#skipValue(depth)
    return { kind, text: this.#text.slice(start, this.#position) }
  }

  #skipValue(depth: number): JsonToken['kind'] {
    switch (this.#text[this.#position]) {
      case '"':
        this.#readString()
        return 'string'
      case '{':
        this.#readMembers(depth, undefined)
        return 'object'
      case '[':
        this.#readElements(depth, undefined)
        return 'array'
      case 't':
        return this.#word('true')
      case 'f':
        return this.#word('false')
      case 'n':
        return this.#word('null')
      default:
        numberPattern.lastIndex = this.#position
        if (!numberPattern.test(this.#text)) {
          this.#fail(
            this.#position < this.#text.length
              ? 'the value is not JSON: unexpected character'
              : 'the value is not JSON: it ends too early',
          )
        }
        this.#position = numberPattern.lastIndex
        return 'number'
    }
  }

  #word<Word extends 'true' | 'false' | 'null'>(word: Word): Word {
    if (!this.#text.startsWith(word, this.#position))
      this.#fail('the value is not JSON: unexpected character')
    this.#position += word.length
    return word
  }

  #readElements(depth: number, onElement: ((token: JsonToken) => void) | undefined): void {
    if (depth > maxDepth) this.#fail(`the value is nested deeper than ${maxDepth} levels`)
    this.#position += 1
    this.#skipSpace()
    if (this.#text[this.#position] === ']') {
      this.#position += 1
      return
    }
    for (;;) {
      this.#skipSpace()
      if (onElement) onElement(this.#readToken(depth + 1))
      else this.#skipValue(depth + 1)
      this.#skipSpace()
      const next = this.#text[this.#position]
      this.#position += 1
      if (next === ']') return
      if (next !== ',') {
        this.#position -= 1
        this.#fail('the value is not JSON: a comma or a closing bracket was expected')
      }
    }
  }

  #readString(): string {
    const start = this.#position + 1
    plainString.lastIndex = start
    plainString.test(this.#text)
    let end = plainString.lastIndex
    if (this.#text[end] === '"') {
      this.#position = end + 1
      return this.#text.slice(start, end)
    }
    while (this.#text[end] === '\\') {
      plainString.lastIndex = end + 2
      if (end + 2 > this.#text.length) break
      plainString.test(this.#text)
      end = plainString.lastIndex
    }
    if (this.#text[end] !== '"') {
      this.#position = end
      this.#fail('the value is not JSON: a string is not closed or holds a control character')
    }
    this.#position = end + 1
    try {
      return JSON.parse(this.#text.slice(start - 1, end + 1)) as string
    } catch {
      this.#position = start
      return this.#fail('the value is not JSON: a string has a wrong escape')
    }
  }
}
