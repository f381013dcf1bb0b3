import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { LocalStackOptions } from '@stockpipe/local'
import { type CommandArguments, UsageError } from '../command.ts'
import type { KafkaClientSecurity } from './local-settings.ts'

/** Options of `stockpipe local` that say who may use Kafka, and over what. */
export const kafkaSecurityOptions = {
  'kafka-user': { type: 'string', multiple: true },
  'kafka-tls-cert': { type: 'string' },
  'kafka-tls-key': { type: 'string' },
  'kafka-tls-client-ca': { type: 'string' },
} as const

/** What the options ask of the stack, and of its clients. Throws a UsageError, which holds no password. */
export const kafkaSecurity = async (
  values: CommandArguments['values'],
): Promise<{
  stack: Pick<LocalStackOptions, 'kafkaUsers' | 'kafkaTls'>
  client: KafkaClientSecurity
}> => {
  const given = (values['kafka-user'] ?? []) as readonly string[]
  const kafkaUsers = given.map((user) => {
    const end = user.indexOf('=')
    if (end < 1 || end === user.length - 1) throw new UsageError('--kafka-user takes NAME=PASSWORD')
    return { name: user.slice(0, end), password: user.slice(end + 1) }
  })
  const names = ['kafka-tls-cert', 'kafka-tls-key', 'kafka-tls-client-ca']
  const [certPath, keyPath, clientCaPath] = names.map((name) => values[name] as string | undefined)
  if ((certPath === undefined) !== (keyPath === undefined)) {
    throw new UsageError('--kafka-tls-cert and --kafka-tls-key go together')
  }
  if (clientCaPath !== undefined && certPath === undefined) {
    throw new UsageError('--kafka-tls-client-ca goes with --kafka-tls-cert and --kafka-tls-key')
  }
  const [cert, key, ca] = await Promise.all(names.map((name) => fileOf(name, values[name])))
  return {
    stack: {
      ...(kafkaUsers.length > 0 && { kafkaUsers }),
      ...(cert !== undefined &&
        key !== undefined && { kafkaTls: { cert, key, ...(ca && { ca, requestClientCertificate: true }) } }),
    },
    client: {
      username: kafkaUsers[0]?.name,
      caPath: certPath === undefined ? undefined : path.resolve(certPath),
      showsCertificate: clientCaPath !== undefined,
    },
  }
}

const fileOf = async (name: string, file: unknown): Promise<string | undefined> => {
  if (typeof file !== 'string') return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new UsageError(`--${name} takes a PEM file; '${file}' cannot be read (${code})`, { cause })
  }
}
