import type { GlueSender } from '../src/index.ts'

export interface SentCommand {
  readonly operation: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever was sent
  readonly input: any
}

/** A client whose answers come from `answer`; what it throws is thrown. `sent` lists every call. */
export const fakeGlue = (
  answer: (command: SentCommand, call: number) => object | undefined,
): { readonly client: GlueSender; readonly sent: SentCommand[] } => {
  const sent: SentCommand[] = []
  const send = async (command: { constructor: { name: string }; input: object }) => {
    const one = { operation: command.constructor.name.replace(/Command$/, ''), input: command.input }
    sent.push(one)
    return answer(one, sent.length) ?? {}
  }
  return { client: { send } as unknown as GlueSender, sent }
}

/** An exception as the SDK throws it: told apart by its name, without a code. */
export const serviceException = (name: string, message = `${name} was raised`): Error =>
  Object.assign(new Error(message), { name, $fault: 'client' })
