import { describe, expect, test } from 'vitest'
import { main } from '../src/index.ts'
import { capturedIO } from './captured-io.ts'

const run = async (argv: readonly string[], env: Record<string, string> = {}) => {
  const io = capturedIO(env)
  const status = await main(argv, io)
  return { status, out: io.out(), err: io.err() }
}

describe('help and version', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']]])(
    '%j lists every command with what it does',
    async (argv) => {
      const { status, out, err } = await run(argv)
      expect({ status, err }).toEqual({ status: 0, err: '' })
      expect(out).toContain('Usage: stockpipe <command> [options]')
      for (const name of [
        'local',
        'table',
        'query',
        'verify',
        'compact',
        'retire',
        'journal',
        'dead-letters',
      ])
        expect(out).toMatch(new RegExp(`^  ${name} +\\w`, 'm'))
    },
  )

  test.each(['local', 'table', 'query', 'verify', 'compact', 'retire', 'journal', 'dead-letters'])(
    '%s --help and help %s tell the same, with every option',
    async (name) => {
      const long = await run([name, '--help'])
      expect(long.status).toBe(0)
      expect(long.out).toContain(`Usage: stockpipe ${name}`)
      expect(await run(['help', name])).toEqual(long)
      expect(await run([name, '-h'])).toEqual(long)
    },
  )

  test('--version is one line', async () => {
    expect(await run(['--version'])).toEqual({ status: 0, out: '0.0.0-test\n', err: '' })
  })
})

describe('a command line that cannot be run ends with 2 and says what was meant', () => {
  test.each([
    [['lcoal'], "stockpipe has no command 'lcoal'; did you mean 'stockpipe local'?\n"],
    [['ver'], "stockpipe has no command 'ver'; did you mean 'stockpipe verify'?\n"],
    [
      ['frobnicate'],
      "stockpipe has no command 'frobnicate'; it has local, sink, table, query, verify, compact, retire, journal, dead-letters.\n",
    ],
    [['--quiet'], "stockpipe: a command comes first, not '--quiet'; see 'stockpipe --help'.\n"],
    [['help', 'querry'], "stockpipe has no command 'querry'; did you mean 'stockpipe query'?\n"],
    [
      ['local', '--datadir', 'x'],
      "stockpipe local: it has no option '--datadir'; did you mean '--data-dir'? See 'stockpipe local --help'.\n",
    ],
    [['local', '--frob'], "stockpipe local: it has no option '--frob'. See 'stockpipe local --help'.\n"],
    [
      ['local', '--kafka-port', '70000'],
      "stockpipe local: --kafka-port takes a port from 0 to 65535, not '70000'. See 'stockpipe local --help'.\n",
    ],
    [
      ['local', '--athena-engine', 'http://dev:secret@trino'],
      "stockpipe local: --athena-engine takes trino=http://host:port. See 'stockpipe local --help'.\n",
    ],
    [['local', '--http-port', 'x'], /--http-port takes a port from 0 to 65535, not 'x'/],
    [['local', '--data-dir', ''], /--data-dir takes a value that is not empty/],
    [['local', '--reset'], /--reset goes with --data-dir/],
    [['local', '--log-level', 'trace'], /--log-level takes info or debug, not 'trace'/],
    [['local', 'here'], /it takes no argument such as 'here'/],
    [['local', '--data-dir'], /stockpipe local: Option '--data-dir <value>' argument missing/],
    [['dead-letters'], /it takes list, show or replay\. See/],
    [['dead-letters', 'delete', 's3://lake/j/trades'], /it takes list, show or replay, not 'delete'/],
    [['dead-letters', 'list'], /it takes one journal, s3:\/\/BUCKET\/JOURNAL\/SINK/],
    [
      ['dead-letters', 'list', 's3://lake/j/trades', '--log', 'trades'],
      /--log takes a topic and a partition/,
    ],
    [['table'], /it takes plan, apply or drift\. See/],
    [['table', 'destroy', 'x.js'], /it takes plan, apply or drift, not 'destroy'/],
    [['table', 'plan'], /plan takes one FILE/],
    [['table', 'plan', 'x.js', '--yes'], /--yes and --allow go with apply/],
    [['query'], /it takes the SQL as its argument/],
    [['query', 'SELECT', '1'], /put the SQL in quotes/],
    [['query', 'SELECT 1', '--format', 'xml'], /--format takes table, csv, json, not 'xml'/],
    [['query', 'SELECT 1', '--output-location', 'results'], /takes s3:\/\/bucket\/prefix\/, not 'results'/],
    [['verify'], /it takes one journal, s3:\/\/BUCKET\/JOURNAL\/SINK/],
    [['verify', 's3://lake'], /it takes one journal/],
    [['journal'], /it takes show, init, prune, clean or reset/],
    [['journal', 'toString', 's3://a/b/c'], /it takes show, init, prune, clean or reset, not 'toString'/],
    [['journal', 'show', 's3://lake'], /show takes one journal, s3:\/\/BUCKET\/JOURNAL\/SINK/],
  ])('%j', async (argv, message) => {
    const { status, out, err } = await run(argv)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    if (typeof message === 'string') expect(err).toBe(message)
    else expect(err).toMatch(message)
    expect(err.trimEnd()).not.toContain('\n')
  })
})

describe('an argument of journal that can be none ends with 2, before anything is read', () => {
  test.each<[string[], RegExp]>([
    [['journal', 'show', 's3://a/b/c', '--entries', '0'], /--entries takes a whole number above 0, not '0'/],
    [
      ['journal', 'init', 's3://a/b/c', '--topic', 't', '--start', '0', '--partitions', '0'],
      /--partitions takes a whole number above 0, not '0'/,
    ],
    [
      ['journal', 'init', 's3://a/b/c', '--topic', 'a/b', '--start', '0', '--partitions', '1'],
      /--topic takes the name of a topic, not 'a\/b'/,
    ],
    [
      ['journal', 'reset', 's3://a/b/c', '--topic', 't', '--partition', '0', '--to', '9999999999999999999'],
      /--to takes an offset/,
    ],
  ])('%j', async (argv, message) => {
    const io = capturedIO({
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
    })
    expect(await main(argv, io)).toBe(2)
    expect(io.err()).toMatch(message)
  })
})

describe('query without knowing where Athena is', () => {
  test.each<[Record<string, string>, RegExp]>([
    [
      {},
      /It is not said which Athena to use: run 'stockpipe local' and paste .* or, for AWS itself, set AWS_REGION/,
    ],
    [
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      /Athena at http:\/\/127\.0\.0\.1:1 needs AWS_ACCESS_KEY_ID and/,
    ],
    [{ AWS_PROFILE: 'desk' }, /It is not said which Athena to use/],
  ])('%j says so in one sentence and ends with 1', async (env, message) => {
    const { status, out, err } = await run(['query', 'SELECT 1'], env)
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toMatch(message)
  })
})
