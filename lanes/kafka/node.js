import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outputOf, skip } from '../lane.js'

const version = '4.3.1'
const file = (name) => fileURLToPath(new URL(name, import.meta.url))

/** Ends the lane with one sentence where Java is missing or too old. */
export const checkJava = () => {
  const java = outputOf('java', ['-version'])
  if (java === undefined) skip('The Kafka lane needs Java 17 or newer, and this machine has no `java`.')
  const major = Number(/version "(\d+)/.exec(java)?.[1])
  if (!(major >= 17)) skip(`The Kafka lane needs Java 17 or newer, and \`java\` is ${major || 'unknown'}.`)
}

/** The class path of Apache Kafka, installed the first time. */
export const installKafka = async (lane) => {
  const checkMaven = () => {
    if (outputOf('mvn', ['--version']) === undefined) {
      skip('The Kafka lane installs with Maven, and this machine has no `mvn`.')
    }
  }
  const jars = await lane.install(`kafka-${version}`, checkMaven, async (folder) => {
    await lane.run('mvn', [
      '--batch-mode',
      '--file',
      file('pom.xml'),
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${folder}`,
    ])
  })
  return join(jars, '*')
}

export const newClusterId = () =>
  Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').replace(/^-/, 'A')

/** Properties of a node that is broker and controller in one. */
export const nodeProperties = ({ id, controller, listeners, voters, folder }) => ({
  'process.roles': 'broker,controller',
  'node.id': id,
  'controller.quorum.voters': voters,
  'controller.listener.names': 'CONTROLLER',
  listeners: [...listeners, `CONTROLLER://127.0.0.1:${controller}`].join(','),
  'log.dirs': join(folder, 'data').replaceAll('\\', '/'),
})

/** Broker properties among the arguments of a lane: `name=value`. */
export const propertiesOf = (laneArguments) =>
  Object.fromEntries(
    laneArguments.map((argument) => {
      const [name, ...value] = argument.split('=')
      return [name, value.join('=')]
    }),
  )

/** Formats a node's folder; answers the arguments of `java` that run it. */
export const formatNode = async (
  lane,
  { classPath, folder, clusterId, properties, formatArguments = [] },
) => {
  const configuration = join(folder, 'server.properties')
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(configuration, lines.join(''))
  const kafka = ['-Xmx512m', `-Dlog4j2.configurationFile=${file('log4j2.properties')}`, '-cp', classPath]
  const format = ['kafka.tools.StorageTool', 'format', '--cluster-id', clusterId, '--config', configuration]
  await lane.run('java', [...kafka, ...format, ...formatArguments], { cwd: folder })
  return [...kafka, 'kafka.Kafka', configuration]
}

export const readyText = 'Kafka Server started'
