import { connect, isIP, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import kafkajs, { type ISocketFactory } from 'kafkajs'
import { openCluster } from './kafkajs-cluster.ts'
import { ResponseReader } from './response-reader.ts'

const keepAliveMillis = 60_000

/**
 * A socket as kafkajs makes it, whose `data` are whole responses: kafkajs puts chunks of 64 KiB together by a copy, and
 * both are garbage right after.
 */
export const responseSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const reader = new ResponseReader((response) => void socket.emit('data', response))
  const place = {
    host,
    port,
    onread: {
      buffer: () => reader.room(),
      callback: (bytes: number) => {
        reader.written(bytes)
        return true
      },
    },
  }
  const socket: Socket = ssl
    ? connectSecurely({ ...place, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connect(place, onConnect)
  return socket.setKeepAlive(true, keepAliveMillis)
}

/** A connection of kafkajs 2.0 to 2.2. */
interface Connection {
  socketFactory: ISocketFactory
  /** What was received and is not taken yet, with a length of `bytesBuffered` in all. */
  chunks: Buffer[]
  readonly bytesBuffered: number
  processData(data: Buffer): void
}

/** The connection of a pool over which kafkajs fetches. */
const fetchConnection = 1

/** Has what is fetched come over such sockets, where those of the pool are kafkajs's own. */
export const fetchWholeResponses = async (pool: object): Promise<void> => {
  const connections: unknown = Reflect.get(pool, 'pool')
  const connection: unknown = Array.isArray(connections) ? connections[fetchConnection] : undefined
  if (!isConnection(connection) || !(await isStock(connection.socketFactory))) return
  connection.socketFactory = responseSocket
  const processData = connection.processData.bind(connection)
  connection.processData = (data) => {
    // It keeps the nothing that was left of the last response, and would put both together by a copy.
    if (connection.bytesBuffered === 0) connection.chunks = []
    processData(data)
  }
}

const isConnection = (value: unknown): value is Connection =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'socketFactory') === 'function' &&
  typeof Reflect.get(value, 'processData') === 'function' &&
  typeof Reflect.get(value, 'bytesBuffered') === 'number' &&
  Array.isArray(Reflect.get(value, 'chunks'))

/** Every `Kafka` has a function of its own, with the same text. */
const isStock = async (factory: ISocketFactory): Promise<boolean> => {
  stockText ??= textOfStock().catch(() => '')
  return String(factory) === (await stockText)
}

let stockText: Promise<string> | undefined

const textOfStock = async (): Promise<string> => {
  const cluster = openCluster(new kafkajs.Kafka({ brokers: ['localhost:9092'] }))
  const pool = await cluster.brokerPool!.connectionPoolBuilder.build({ host: 'localhost', port: 9092 })
  return String(Reflect.get(pool, 'socketFactory'))
}
