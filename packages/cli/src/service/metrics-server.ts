import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigurationError } from '@stockpipe/core'
import type { Metrics } from '@stockpipe/core/metrics'
import { processMetrics } from './process-metrics.ts'
import type { ServiceHealth } from './service-health.ts'

export interface MetricsServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly metrics: Metrics
  readonly health: ServiceHealth
}

/** Serves `/metrics`, `/healthz` and `/readyz`. */
export interface MetricsServer {
  readonly url: string
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

/** Throws a `ConfigurationError` when the port cannot be had. */
export const startMetricsServer = async (options: MetricsServerOptions): Promise<MetricsServer> => {
  const { host, port } = options
  const server = createServer((request, response) => {
    const found = answer(options, request.method ?? '', (request.url ?? '/').split('?', 1)[0]!)
    response.writeHead(found.status, { 'content-type': found.type, 'cache-control': 'no-store' })
    response.end(request.method === 'HEAD' ? undefined : found.body)
  })
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigurationError({
      code: 'METRICS_PORT_UNAVAILABLE',
      message:
        code === 'EADDRINUSE'
          ? `Port ${port} of ${host} is taken, so no metrics can be served there: give another --metrics-port, or 0 for any free one.`
          : `No metrics can be served on ${host}:${port}: ${code ?? String(error)}.`,
      cause: error,
      facts: { host, port },
    })
  }
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { url: `http://${name}:${address.port}`, close: () => closed(server) }
}

const answer = ({ metrics, health }: MetricsServerOptions, method: string, path: string): Answer => {
  if (!['/metrics', '/healthz', '/readyz'].includes(path)) {
    return plain(404, 'There are /metrics, /healthz and /readyz.')
  }
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Only GET and HEAD.')
  if (path === '/metrics') {
    return { status: 200, type: metrics.contentType, body: metrics.text() + processMetrics() }
  }
  const problems =
    path === '/readyz' ? health.hindrances : health.failure === undefined ? [] : [health.failure]
  return problems.length === 0 ? plain(200, 'ok') : plain(503, problems.join('\n'))
}

const plain = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${body}\n`,
})

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
