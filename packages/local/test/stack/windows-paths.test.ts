import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partitionDirectoryName } from '../../src/kafka/topics/topic-directory.ts'
import { fileNamesOfKey, foldName, keyOfFileNames } from '../../src/s3/object-file-path.ts'
import { ObjectIndex } from '../../src/s3/object-index.ts'

const seed = Math.floor(Math.random() * 2 ** 31)
const devices = ['CON', 'PRN', 'AUX', 'NUL', 'CONIN$', 'CONOUT$', 'COM1', 'COM9', 'COM¹', 'LPT1', 'LPT³']

/** What Windows does to a name: a device whatever follows the first dot, dots and spaces at the end dropped. */
const expectUsableName = (name: string) => {
  const stem = name.split('.')[0]!.trimEnd().toUpperCase()
  expect(devices.concat('COM0', 'LPT0'), name).not.toContain(stem)
  expect(name).not.toMatch(/[<>:"/\\|?*]|[. ]$/)
  expect(
    [...name].every((character) => character >= ' '),
    name,
  ).toBe(true)
  expect(name.length).toBeGreaterThan(0)
  expect(name.length).toBeLessThanOrEqual(255)
  // One plain name below the directory: neither a drive, nor a way up, nor two names.
  const directory = 'C:\\data\\s3\\lake'
  expect(path.win32.resolve(directory, name)).toBe(`${directory}\\${name}`)
  expect(path.win32.basename(name)).toBe(name)
}

describe('by the rules of Windows', () => {
  it.each([
    ...devices.flatMap((device) => [
      device,
      device.toLowerCase(),
      `${device}.txt`,
      `${device} .txt`,
      `${device} `,
    ]),
    ...devices.map((device) => `a/${device}/b`),
    'aux.tar.gz',
    'trailing.',
    'trailing...',
    'trailing ',
    'trailing. . ',
    'dir./file',
    'dir /file',
    'C:',
    'C:\\Windows\\x',
    'C:/x',
    '\\\\server\\share\\x',
    '\\\\?\\C:\\x',
    '\\\\.\\NUL',
    '..\\..\\escape',
    '../../escape',
    './.',
    'file:stream',
    'file::$DATA',
    'a<b>c"d|e?f*g',
    'tab\tline\nbell\u0007',
    '/',
    '//x//',
    '~',
    'x'.repeat(1_024),
    `${'é'.repeat(500)}`,
    `${'x'.repeat(199)}.${'y'.repeat(199)} z`,
    `${'x'.repeat(200)}CON`,
    `${'x'.repeat(200)}nul.txt`,
  ])('the key %j is files with usable names, and is read back from them', (key) => {
    const names = fileNamesOfKey(key)
    for (const name of names) expectUsableName(name)
    const full = path.win32.resolve('C:\\data\\s3\\lake', ...names)
    expect(path.win32.relative('C:\\data\\s3\\lake', full).split('\\')).toEqual(names)
    expect(keyOfFileNames(full.split('\\').slice(4))).toBe(key)
  })

  it('keys that differ in case, or in what Windows drops, are files of their own', () => {
    const keys = [
      'a',
      'A',
      'a.',
      'a ',
      'a..',
      'A/x',
      'a/X',
      'é',
      'É',
      'e\u0301',
      'nul',
      'NUL',
      'Nul.txt',
      'a\\b',
      'a/b',
    ]
    const index = new ObjectIndex()
    for (const key of keys) index.set(key, { path: index.place(key) })
    const paths = keys.map((key) => index.get(key)!.path)
    expect(new Set(paths.map(foldName)).size).toBe(keys.length)
    for (const place of paths) for (const name of place.split('/')) expectUsableName(name)
  })

  it(`topics are directories with usable names, one each whatever their case (seed ${seed})`, () => {
    const letters = [...'abAB019._-']
    const topicName = fc.oneof(
      fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom(...letters), minLength: 180, maxLength: 249 }),
      fc.constantFrom('con', 'CON', 'nul.trades', 'Aux.', 'com1', 'LPT9.x', 'prn-0', 'a.', 'A.', '...'),
    )
    const partition = fc.nat(12)
    fc.assert(
      fc.property(fc.array(fc.tuple(topicName, partition), { maxLength: 30 }), (all) => {
        const names = new Map(
          all.map(([topic, number]) => [`${topic} ${number}`, partitionDirectoryName(topic, number)]),
        )
        for (const name of names.values()) expectUsableName(name)
        expect(new Set([...names.values()].map(foldName)).size).toBe(names.size)
      }),
      { seed, numRuns: 300 },
    )
  })
})
