import { ServiceError } from '../http/json-service.ts'

export type InputObject = Readonly<Record<string, unknown>>

export interface LengthLimits {
  readonly min?: number
  readonly max?: number
}

/** A regular expression that a text must satisfy as a whole, as Java writes it. */
export interface TextPattern {
  readonly test: RegExp
  readonly source: string
}

export interface TextLimits extends LengthLimits {
  readonly pattern?: TextPattern
}

/**
 * Reads the members of a request and refuses what the AWS service model refuses, in its words:
 * `1 validation error detected: Value 'x' at 'name' failed to satisfy constraint: ...`.
 */
export class InputMembers {
  readonly #input: InputObject
  readonly #path: string
  readonly #errorName: string

  /** @param errorName the service's exception for constraint failures, such as `ValidationException` */
  constructor(input: InputObject, errorName: string, path = '') {
    this.#input = input
    this.#errorName = errorName
    this.#path = path
  }

  has(member: string): boolean {
    return this.#input[member] !== undefined && this.#input[member] !== null
  }

  string(member: string, limits: TextLimits = { min: 1 }): string {
    return this.optionalString(member, limits) ?? this.#missing(member)
  }

  optionalString(member: string, limits: TextLimits = {}): string | undefined {
    const value = this.#present(member)
    if (value === undefined) return undefined
    if (typeof value !== 'string') throw this.#wrongType(member, 'a string')
    this.#checkText(member, value, limits)
    return value
  }

  enumeration<Value extends string>(member: string, values: readonly Value[]): Value {
    return this.optionalEnum(member, values) ?? this.#missing(member)
  }

  /** A string that must be one of `values`. */
  optionalEnum<Value extends string>(member: string, values: readonly Value[]): Value | undefined {
    const value = this.optionalString(member)
    if (value === undefined) return undefined
    if (!(values as readonly string[]).includes(value)) {
      throw this.#violation(
        member,
        `'${value}'`,
        `Member must satisfy enum value set: [${values.join(', ')}]`,
      )
    }
    return value as Value
  }

  /** A list of strings that must each be one of `values`. */
  optionalEnums<Value extends string>(
    member: string,
    values: readonly Value[],
  ): readonly Value[] | undefined {
    const list = this.optionalStrings(member)
    if (list?.some((value) => !(values as readonly string[]).includes(value))) {
      const constraint = `Member must satisfy enum value set: [${values.join(', ')}]`
      throw this.#violation(
        member,
        `'[${list.join(', ')}]'`,
        `Member must satisfy constraint: [${constraint}]`,
      )
    }
    return list as readonly Value[] | undefined
  }

  integer(member: string, limits: LengthLimits = {}): number {
    return this.optionalInteger(member, limits) ?? this.#missing(member)
  }

  optionalInteger(member: string, limits: LengthLimits = {}): number | undefined {
    const value = this.#present(member)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.#wrongType(member, 'an integer')
    if (!Number.isSafeInteger(value)) {
      throw new ServiceError(
        'UnsupportedOperationException',
        `${this.#pathOf(member)} is beyond 2^53: the local stack keeps integers exactly up to there.`,
      )
    }
    this.#checkRange(member, value, limits)
    return value
  }

  number(member: string, limits: LengthLimits = {}): number {
    return this.optionalNumber(member, limits) ?? this.#missing(member)
  }

  optionalNumber(member: string, limits: LengthLimits = {}): number | undefined {
    const value = this.#present(member)
    if (value === undefined) return undefined
    if (typeof value !== 'number') throw this.#wrongType(member, 'a number')
    this.#checkRange(member, value, limits)
    return value
  }

  optionalBoolean(member: string): boolean | undefined {
    const value = this.#present(member)
    if (value === undefined) return undefined
    if (typeof value !== 'boolean') throw this.#wrongType(member, 'a boolean')
    return value
  }

  object(member: string): InputMembers {
    return this.optionalObject(member) ?? this.#missing(member)
  }

  optionalObject(member: string): InputMembers | undefined {
    const value = this.#present(member)
    if (value === undefined) return undefined
    if (!isObject(value)) throw this.#wrongType(member, 'a structure')
    return new InputMembers(value, this.#errorName, this.#pathOf(member))
  }

  objects(member: string, limits: LengthLimits = {}): readonly InputMembers[] {
    return this.optionalObjects(member, limits) ?? this.#missing(member)
  }

  optionalObjects(member: string, limits: LengthLimits = {}): readonly InputMembers[] | undefined {
    return this.#optionalList(member, limits)?.map((item, at) => {
      if (!isObject(item)) throw this.#wrongType(member, 'a list of structures')
      return new InputMembers(item, this.#errorName, `${this.#pathOf(member)}.${at + 1}.member`)
    })
  }

  strings(member: string, limits: LengthLimits = {}, each: TextLimits = {}): readonly string[] {
    return this.optionalStrings(member, limits, each) ?? this.#missing(member)
  }

  optionalStrings(
    member: string,
    limits: LengthLimits = {},
    each: TextLimits = {},
  ): readonly string[] | undefined {
    return this.#optionalList(member, limits)?.map((item, at) => {
      if (typeof item !== 'string') throw this.#wrongType(member, 'a list of strings')
      this.#checkText(`${member}.${at + 1}.member`, item, each)
      return item
    })
  }

  /** A map of string to string. */
  optionalStringMap(
    member: string,
    limits: { readonly key?: TextLimits; readonly value?: TextLimits } = {},
  ): Readonly<Record<string, string>> | undefined {
    const map = this.#present(member)
    if (map === undefined) return undefined
    if (!isObject(map)) throw this.#wrongType(member, 'a map')
    for (const [key, value] of Object.entries(map)) {
      if (typeof value !== 'string') throw this.#wrongType(member, 'a map of strings')
      this.#checkText(member, key, limits.key ?? {})
      this.#checkText(`${member}.${key}.member`, value, limits.value ?? {})
    }
    return map as Readonly<Record<string, string>>
  }

  /** Refuses members the local stack knows of but does not have, so that they are never silently dropped. */
  refuse(members: readonly string[], refusal: (member: string) => Error): void {
    for (const member of members) if (this.has(member)) throw refusal(member)
  }

  #optionalList(member: string, limits: LengthLimits): readonly unknown[] | undefined {
    const value = this.#present(member)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw this.#wrongType(member, 'a list')
    this.#checkLength(member, value.length, limits, `[${value.length} members]`)
    return value
  }

  #present(member: string): unknown {
    const value = this.#input[member]
    return value === null ? undefined : value
  }

  #pathOf(member: string): string {
    const name = member.charAt(0).toLowerCase() + member.slice(1)
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #checkText(member: string, text: string, limits: TextLimits): void {
    this.#checkLength(member, text.length, limits, text)
    if (limits.pattern === undefined || limits.pattern.test.test(text)) return
    throw this.#violation(
      member,
      shown(text),
      `Member must satisfy regular expression pattern: ${limits.pattern.source}`,
    )
  }

  #checkRange(member: string, value: number, limits: LengthLimits): void {
    const { min, max } = limits
    if (min !== undefined && value < min) {
      throw this.#violation(member, `'${value}'`, `Member must have value greater than or equal to ${min}`)
    }
    if (max !== undefined && value > max) {
      throw this.#violation(member, `'${value}'`, `Member must have value less than or equal to ${max}`)
    }
  }

  #checkLength(member: string, length: number, limits: LengthLimits, value: string): void {
    const { min, max } = limits
    if (min !== undefined && length < min) {
      throw this.#violation(member, shown(value), `Member must have length greater than or equal to ${min}`)
    }
    if (max !== undefined && length > max) {
      throw this.#violation(member, shown(value), `Member must have length less than or equal to ${max}`)
    }
  }

  #missing(member: string): never {
    throw this.#violation(member, 'null', 'Member must not be null')
  }

  #violation(member: string, value: string, constraint: string): ServiceError {
    return new ServiceError(
      this.#errorName,
      `1 validation error detected: Value ${value} at '${this.#pathOf(member)}' failed to satisfy constraint: ${constraint}`,
    )
  }

  #wrongType(member: string, expected: string): ServiceError {
    return new ServiceError('SerializationException', `${this.#pathOf(member)} must be ${expected}`)
  }
}

function isObject(value: unknown): value is InputObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const shown = (value: string): string => `'${value.length > 200 ? `${value.slice(0, 200)}...` : value}'`
