import { createHash } from 'node:crypto'

/** Names Windows keeps for devices, whatever follows the first dot. */
const reservedName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/

/**
 * The directory name of a topic partition: `<topic>-<partition>` where the name is safe on every file system.
 *
 * A name with capitals (two topics may differ in nothing else), a name Windows reserves, or a very long one
 * gets a digest behind a tilde, which no topic name can hold.
 */
export const partitionDirectoryName = (topicName: string, partition: number): string => {
  const isSafe = /^[a-z0-9_-][a-z0-9._-]*$/.test(topicName) && !reservedName.test(topicName)
  if (isSafe && topicName.length <= 200) return `${topicName}-${partition}`
  const digest = createHash('sha256').update(topicName).digest('hex').slice(0, 16)
  const readable = topicName.toLowerCase().replaceAll('.', '_').slice(0, 180)
  return `${readable}~${digest}-${partition}`
}
