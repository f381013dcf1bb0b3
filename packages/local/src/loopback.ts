const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/i

/** True for an address that only this machine reaches. */
export const isLoopback = (host: string): boolean => loopback.test(host)
