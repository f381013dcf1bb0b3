declare const __PACKAGE_VERSION__: string

const version: string = __PACKAGE_VERSION__
const startedAt = Date.now() / 1000 - process.uptime()

/** What Prometheus expects of any process, in its text format. */
export const processMetrics = (): string => {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed, external } = process.memoryUsage()
  const values: readonly [name: string, type: string, help: string, value: number, labels?: string][] = [
    ['process_cpu_seconds_total', 'counter', 'Processor time used.', (user + system) / 1e6],
    ['process_resident_memory_bytes', 'gauge', 'Resident memory.', rss],
    ['process_start_time_seconds', 'gauge', 'Start of the process, seconds since the epoch.', startedAt],
    ['nodejs_heap_used_bytes', 'gauge', 'Used memory of the JavaScript heap.', heapUsed],
    [
      'nodejs_external_memory_bytes',
      'gauge',
      'Memory outside the heap bound to JavaScript objects.',
      external,
    ],
    ['stockpipe_build_info', 'gauge', 'The version that runs.', 1, `{version="${version}"}`],
  ]
  return values
    .map(
      ([name, type, help, value, labels = '']) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${labels} ${value}\n`,
    )
    .join('')
}
