import { expect, it } from 'vitest'
import type { KafkaSecuritySubject } from './describe-kafka-security.ts'
import { WireClient } from './wire-client.ts'

const listGroupsKey = 16
const mechanismNames = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** Bytes with their length in front, as kafkajs's codec of SaslAuthenticate takes and gives them. */
const withLength = (text: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}

const handshake = async (wire: WireClient, mechanism: string, version = 1) =>
  (await wire.ask('saslHandshake', version, { mechanism })) as {
    errorCode: number
    enabledMechanisms: string[]
  }

const authenticate = async (wire: WireClient, message: string) => {
  const fields = { authBytes: withLength(message) }
  const answer = await wire.ask('saslAuthenticate', 1, fields)
  return answer as { errorCode: number; errorMessage: string | null; sessionLifetimeMs: string }
}

const listGroups = async (wire: WireClient) =>
  ((await wire.ask('listGroups', 2, {})) as { errorCode: number }).errorCode

/** The steps of SASL, one by one. */
export const saslWireCases = (subject: () => KafkaSecuritySubject): void => {
  const step = (sentence: string, run: (wire: WireClient) => Promise<void>) => {
    it(sentence, async () => {
      const wire = await WireClient.connect(subject().saslPlaintextBrokers[0]!)
      try {
        await run(wire)
      } finally {
        wire.close()
      }
    })
  }
  const right = () => `\0${subject().user.name}\0${subject().user.password}`

  step(
    'versions may be asked for, then a handshake, then PLAIN, and the session does not end',
    async (wire) => {
      await wire.ask('apiVersions', 2, {})
      expect((await handshake(wire, 'PLAIN')).errorCode).toBe(0)
      expect(await authenticate(wire, right())).toMatchObject({ errorCode: 0, sessionLifetimeMs: '0' })
      expect(await listGroups(wire)).toBe(0)
    },
  )

  step('a mechanism nobody knows is UNSUPPORTED_SASL_MECHANISM with the list, and closes', async (wire) => {
    const { errorCode, enabledMechanisms } = await handshake(wire, 'GSSAPI')
    expect([errorCode, enabledMechanisms.sort()]).toEqual([33, mechanismNames])
    await wire.closed()
  })

  step('any other request before the handshake closes the connection', async (wire) => {
    await expect(wire.exchange(listGroupsKey, 2, Buffer.alloc(0))).rejects.toThrow('closed the connection')
  })

  step(
    'any other request between handshake and credentials is ILLEGAL_SASL_STATE and closes',
    async (wire) => {
      await handshake(wire, 'PLAIN')
      expect(await listGroups(wire)).toBe(34)
      await wire.closed()
    },
  )

  step('a second handshake before the credentials is ILLEGAL_SASL_STATE and closes', async (wire) => {
    await handshake(wire, 'PLAIN')
    expect((await handshake(wire, 'PLAIN')).errorCode).toBe(34)
    await wire.closed()
  })

  step(
    'versions asked for between handshake and credentials are ILLEGAL_SASL_STATE, and closes',
    async (wire) => {
      await handshake(wire, 'PLAIN')
      expect(((await wire.ask('apiVersions', 2, {})) as { errorCode: number }).errorCode).toBe(34)
      await wire.closed()
    },
  )

  step('credentials before a handshake close the connection', async (wire) => {
    await expect(authenticate(wire, right())).rejects.toThrow('closed the connection')
  })

  step('versions asked for a second time before the handshake close the connection', async (wire) => {
    await wire.ask('apiVersions', 2, {})
    await expect(wire.ask('apiVersions', 2, {})).rejects.toThrow('closed the connection')
  })

  step(
    'a wrong password by PLAIN is SASL_AUTHENTICATION_FAILED with a sentence, and closes',
    async (wire) => {
      await handshake(wire, 'PLAIN')
      expect(await authenticate(wire, `\0${subject().user.name}\0wrong`)).toMatchObject({
        errorCode: 58,
        errorMessage: 'Authentication failed: Invalid username or password',
      })
      await wire.closed()
    },
  )

  step('an authorization id of somebody else by PLAIN is refused', async (wire) => {
    await handshake(wire, 'PLAIN')
    expect(await authenticate(wire, `somebody${right()}`)).toMatchObject({
      errorCode: 58,
      errorMessage:
        'Authentication failed: Client requested an authorization id that is different from username',
    })
    await wire.closed()
  })

  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    const errorMessage = `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`
    step(`a wrong proof by ${mechanism} is SASL_AUTHENTICATION_FAILED and closes`, async (wire) => {
      await handshake(wire, mechanism)
      const fields = { authBytes: withLength(`n,,n=${subject().user.name},r=nonce`) }
      const first = (await wire.ask('saslAuthenticate', 1, fields)) as { authBytes: Buffer }
      const [, nonce] = /^r=(nonce[^,]+),s=[^,]+,i=4096$/.exec(first.authBytes.subarray(4).toString())!
      const proof = Buffer.alloc(mechanism === 'SCRAM-SHA-256' ? 32 : 64).toString('base64')
      expect(await authenticate(wire, `c=biws,r=${nonce},p=${proof}`)).toMatchObject({
        errorCode: 58,
        errorMessage,
      })
      await wire.closed()
    })

    step(`a name nobody has by ${mechanism} is refused at once`, async (wire) => {
      await handshake(wire, mechanism)
      expect(await authenticate(wire, 'n,,n=nobody,r=nonce')).toMatchObject({ errorCode: 58, errorMessage })
      await wire.closed()
    })
  }

  step('who is in already is not asked again: a further handshake is ILLEGAL_SASL_STATE', async (wire) => {
    await handshake(wire, 'PLAIN')
    await authenticate(wire, right())
    expect((await handshake(wire, 'PLAIN')).errorCode).toBe(34)
    expect(await listGroups(wire)).toBe(0)
    expect((await authenticate(wire, right())).errorCode).toBe(34)
  })

  step('after a handshake in version 0 the message comes alone, and its answer too', async (wire) => {
    expect((await handshake(wire, 'PLAIN', 0)).errorCode).toBe(0)
    wire.write(withLength(right()))
    expect(await wire.nextFrame()).toEqual(Buffer.alloc(0))
    expect(await listGroups(wire)).toBe(0)
  })
}
