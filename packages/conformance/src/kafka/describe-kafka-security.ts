import type { SASLOptions } from 'kafkajs'
import { afterAll, beforeAll, describe } from 'vitest'
import { refusedClientCases } from './refused-clients.ts'
import { saslWireCases } from './sasl-wire.ts'
import { secureClientCases } from './secure-clients.ts'

/** A Kafka cluster that asks its clients who they are, and makes no topic by itself. */
export interface KafkaSecuritySubject {
  /** Asks for SASL, without TLS. */
  readonly saslPlaintextBrokers: string[]
  /** Asks for SASL, over TLS. */
  readonly saslTlsBrokers: string[]
  /** TLS that asks for the client's certificate. */
  readonly mutualTlsBrokers: string[]
  /** Known to PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  readonly user: { readonly name: string; readonly password: string }
  /** PEM of who signed the certificates of broker and client. */
  readonly ca: string
  /** PEM of what the client shows. */
  readonly client: { readonly key: string; readonly cert: string }
}

/** What kafkajs calls the mechanisms. */
export const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export const saslOf = (
  mechanism: (typeof mechanisms)[number],
  { name, password }: KafkaSecuritySubject['user'],
): SASLOptions => ({ mechanism, username: name, password }) as SASLOptions

/**
 * What every Kafka with users and TLS must answer: the same cases for the embedded broker and for Apache Kafka.
 *
 * `start` is called once and what it gave is disposed of at the end; its brokers are fresh and create no topics by themselves.
 */
export const describeKafkaSecurity = (
  name: string,
  start: () => Promise<KafkaSecuritySubject & AsyncDisposable>,
): void => {
  describe(`Kafka security by ${name}`, () => {
    let started: (KafkaSecuritySubject & AsyncDisposable) | undefined
    beforeAll(async () => {
      started = await start()
    })
    afterAll(() => started?.[Symbol.asyncDispose]())
    const subject = () => started!
    describe('clients that are let in', () => secureClientCases(subject))
    describe('clients that are refused', () => refusedClientCases(subject))
    describe('SASL on the wire', () => saslWireCases(subject))
  })
}
