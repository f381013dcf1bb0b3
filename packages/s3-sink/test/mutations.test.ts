import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import mutations from './mutations/mutations.json' with { type: 'json' }

const source = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

// checks/mutations.js makes each of them and demands that its test fails.
describe('the list of mutations that break the commit protocol, or the producer', () => {
  it.each(mutations)('names one place and one test for: $name', ({ file, find, tests, title }) => {
    expect(source(file).split(find).length - 1, `${find} in ${file}`).toBe(1)
    // `title` is the test as it is written, `failing` as the runner calls it.
    expect(source(tests).split(title).length - 1, `${title} in ${tests}`).toBe(1)
  })

  it('has every mutation that the protocol calls deadly', () => {
    const names = mutations.map(({ name }) => name).join('\n')
    for (const deadly of [
      'claim after publish',
      'unconditional claim',
      'settle skipped',
      'unconditional genesis',
      'position from the committed offset',
      'ours by writer',
      'aborted while the claim is unknown',
      'claimed before this one is published',
      'a leader that resigned taken for one that wrote nothing',
      'the sequence number of a batch that may be written used again',
    ]) {
      expect(names).toContain(deadly)
    }
  })
})
