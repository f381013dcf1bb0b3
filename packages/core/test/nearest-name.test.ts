import { describe, expect, it } from 'vitest'
import { nearestName } from '../src/index.ts'

describe('the nearest name', () => {
  const names = ['rows', 'bytes', 'ageMillis', 'idleMillis']

  it.each([
    ['row', 'rows'],
    ['rwos', 'rows'],
    ['age', 'ageMillis'],
    ['AgeMillis', 'ageMillis'],
    ['bytess', 'bytes'],
  ])('of %s is %s', (typed, name) => {
    expect(nearestName(typed, names)).toBe(name)
  })

  it.each(['size', 'x', 'everyMillis'])('of %s is none', (typed) => {
    expect(nearestName(typed, names)).toBeUndefined()
  })
})
