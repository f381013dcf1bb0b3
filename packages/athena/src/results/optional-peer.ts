import { ConfigurationError } from '@stockpipe/core'

/** Loads a library that is installed only where it is wanted. Throws a `ConfigurationError` that names what to install. */
export const loadPeer = async <Module>(
  name: string,
  what: string,
  load: () => Promise<Module>,
): Promise<Module> => {
  try {
    return await load()
  } catch (cause) {
    if ((cause as { code?: unknown } | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ConfigurationError({
      code: 'PEER_MISSING',
      message: `${what} needs the package ${name}, which is not installed: npm install ${name}`,
      cause,
      facts: { package: name },
    })
  }
}
