import { ConfigurationError } from '@stockpipe/core'
import type { CommandIO } from './command.ts'

/** What an AWS client is made with; credentials are left to the SDK's own sources where no keys are given. */
export interface AwsSettings {
  readonly region: string
  readonly endpoint?: string
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
}

/**
 * Settings of an AWS client from the usual variables.
 *
 * Throws a `ConfigurationError` when they say neither where a local stack is nor whose AWS account to use.
 */
export const awsSettings = (service: 'Athena' | 'Glue' | 'S3', env: CommandIO['env']): AwsSettings => {
  const endpoint = env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || env['AWS_ENDPOINT_URL']
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION']
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  const keys = accessKeyId && secretAccessKey
  const refuse = (message: string): never => {
    throw new ConfigurationError({ code: 'AWS_SETTINGS_MISSING', message })
  }
  if (endpoint && !keys) {
    refuse(
      `${service} at ${endpoint} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a local stack, paste the settings that 'stockpipe local' prints.`,
    )
  }
  // With a region alone the SDK may still find credentials: a profile, or the role of the machine.
  if (!endpoint && !region) {
    refuse(
      `It is not said which ${service} to use: run 'stockpipe local' and paste the settings it prints or, for AWS itself, set AWS_REGION and AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY (or AWS_PROFILE).`,
    )
  }
  const sessionToken = env['AWS_SESSION_TOKEN']
  return {
    region: region || 'us-east-1',
    ...(endpoint ? { endpoint } : {}),
    ...(keys
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
      : {}),
  }
}
