import { defineSinkConfig } from '../../packages/cli/dist/index.js'
import { catalogOf, clientsOf, sinkOptions } from './ticks-table.js'

// For `stockpipe compact --config` and `stockpipe verify --config`: see checks/compaction.js.
export default defineSinkConfig(() => {
  const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env
  const clients = clientsOf({
    endpoint: AWS_ENDPOINT_URL,
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
  })
  return {
    kafka: { clientId: 'check', brokers: ['127.0.0.1:1'] },
    groupId: 'check',
    sink: sinkOptions(clients),
    // The check kills compactors, and lets none hang.
    compaction: { catalog: catalogOf(clients), betweenMillis: 0, rowBytes: 100_000, fileBytes: 200_000 },
    close: clients.destroy,
  }
})
