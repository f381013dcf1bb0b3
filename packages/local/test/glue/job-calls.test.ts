import { describe, expect, it } from 'vitest'
import { startJobs } from './job-fixture.ts'

describe('the calls on jobs', () => {
  it('refuse a further run beyond MaxConcurrentRuns', async () => {
    await using jobs = await startJobs({ programs: [] })
    jobs.create({ ExecutionProperty: { MaxConcurrentRuns: 2 } })
    jobs.start()
    const second = jobs.start()
    expect(() => jobs.start()).toThrow(
      expect.objectContaining({
        name: 'ConcurrentRunsExceededException',
        message: 'Concurrent runs exceeded for job',
      }),
    )
    await jobs.ended(second)
    await jobs.ended(jobs.start({ JobRunId: second }))
  })

  it('give a run 2 days, 8 hours from Glue 5.0 on, or what it asks for up to 7 days', async () => {
    await using jobs = await startJobs({ programs: [] })
    jobs.create()
    expect(jobs.runOf(jobs.start())['Timeout']).toBe(2880)
    jobs.call('CreateJob', {
      Name: 'new',
      Role: 'role',
      GlueVersion: '5.0',
      Command: { Name: 'glueetl', ScriptLocation: 's3://code/job.py' },
    })
    const { JobRunId: RunId } = jobs.call('StartJobRun', { JobName: 'new' })
    expect(jobs.call('GetJobRun', { JobName: 'new', RunId })['JobRun']).toMatchObject({ Timeout: 480 })
    expect(() => jobs.create({ Name: 'long', Timeout: 10_081 })).toThrow(
      expect.objectContaining({ name: 'InvalidInputException', message: expect.stringMatching(/7 days/) }),
    )
    jobs.create({ Name: 'long', Timeout: 10_080 })
  })

  it('refuse to run where other machines reach the stack', async () => {
    await using jobs = await startJobs({ refusal: 'other machines can reach it' })
    jobs.create()
    expect(() => jobs.start()).toThrow(
      expect.objectContaining({ name: 'AccessDeniedException', message: 'other machines can reach it' }),
    )
  })

  it('create, page, replace and delete jobs, kept over a restart', async () => {
    await using jobs = await startJobs()
    for (const Name of ['b', 'a', 'c']) jobs.create({ Name, MaxCapacity: 0.0625, Description: 'first' })
    const first = jobs.call('ListJobs', { MaxResults: 2 })
    expect(first['JobNames']).toEqual(['a', 'b'])
    expect(jobs.call('ListJobs', { NextToken: first['NextToken'] })['JobNames']).toEqual(['c'])
    expect(() => jobs.create({ Name: 'a' })).toThrow(
      expect.objectContaining({ name: 'AlreadyExistsException' }),
    )
    jobs.call('UpdateJob', {
      JobName: 'a',
      JobUpdate: { Role: 'other', Command: { Name: 'glueetl', ScriptLocation: 's3://code/b.py' } },
    })
    jobs.call('DeleteJob', { JobName: 'b' })
    jobs.call('DeleteJob', { JobName: 'never there' })
    await jobs.reopen()
    const { Job } = jobs.call('GetJob', { JobName: 'a' })
    // What an update leaves out is gone.
    expect(Job).toEqual({
      Name: 'a',
      JobMode: 'SCRIPT',
      Role: 'other',
      Command: { Name: 'glueetl', ScriptLocation: 's3://code/b.py' },
      ExecutionProperty: { MaxConcurrentRuns: 1 },
      MaxRetries: 0,
      CreatedOn: expect.any(Number),
      LastModifiedOn: expect.any(Number),
    })
    expect(jobs.call('BatchGetJobs', { JobNames: ['c', 'b'] })).toMatchObject({
      Jobs: [{ Name: 'c', MaxCapacity: 0.0625 }],
      JobsNotFound: ['b'],
    })
    for (const [operation, input] of [
      ['GetJob', { JobName: 'b' }],
      ['StartJobRun', { JobName: 'b' }],
      ['GetJobRun', { JobName: 'a', RunId: 'jr_1' }],
    ] as const) {
      expect(() => jobs.call(operation, input)).toThrow(
        expect.objectContaining({ name: 'EntityNotFoundException' }),
      )
    }
  })

  it.each([
    [{ Command: { Name: 'gluestreaming', ScriptLocation: 's3://a/b' } }, 'gluestreaming'],
    [{ Command: { Name: 'pythonshell', ScriptLocation: 's3://a/b', PythonVersion: '2' } }, 'PythonVersion 2'],
    [{ DefaultArguments: { '--job-bookmark-option': 'job-bookmark-enable' } }, '--job-bookmark-option'],
    [{ DefaultArguments: { '--job-language': 'scala' } }, '--job-language'],
    [{ Connections: { Connections: ['x'] } }, 'Connections'],
    [{ JobRunQueuingEnabled: true }, 'JobRunQueuingEnabled'],
  ])('refuse %j by name', async (more, name) => {
    await using jobs = await startJobs()
    expect(() => jobs.create(more)).toThrow(
      expect.objectContaining({
        name: 'UnsupportedOperationException',
        message: expect.stringContaining(name),
      }),
    )
  })

  it.each([
    [{ Command: { Name: 'perl', ScriptLocation: 's3://a/b' } }],
    [{ Command: { Name: 'pythonshell', ScriptLocation: '/tmp/x.py' } }],
    [{ MaxCapacity: 1, WorkerType: 'G.1X' }],
    [{ ExecutionProperty: { MaxConcurrentRuns: 0 } }],
  ])('refuse %j as Glue does', async (more) => {
    await using jobs = await startJobs()
    expect(() => jobs.create(more)).toThrow(expect.objectContaining({ name: 'InvalidInputException' }))
  })

  it('have no bookmarks', async () => {
    await using jobs = await startJobs()
    expect(() => jobs.call('ResetJobBookmark', { JobName: 'job' })).toThrow(
      expect.objectContaining({ name: 'UnsupportedOperationException' }),
    )
  })
})
