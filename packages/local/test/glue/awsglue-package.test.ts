import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { awsGluePackage } from '../../src/glue/job-awsglue-package.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0

describe.skipIf(!hasPython)('the package awsglue that scripts find', () => {
  it('resolves options by name, and says which is missing', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'awsglue-'))
    try {
      await mkdir(path.join(directory, 'awsglue'))
      for (const [name, text] of Object.entries(awsGluePackage)) {
        await writeFile(path.join(directory, name), text)
      }
      const python = (code: string, ...given: string[]) =>
        spawnSync('python3', ['-c', code, ...given], {
          env: { ...process.env, PYTHONPATH: directory },
          encoding: 'utf8',
        })
      const resolve = `
import json, sys
from awsglue.utils import getResolvedOptions, GlueArgumentError
from awsglue.context import GlueContext
from awsglue.job import Job
try:
    print(json.dumps(getResolvedOptions(sys.argv, ["JOB_NAME", "day", "table-name"])))
except GlueArgumentError as error:
    print(error)
`
      const given = ['--JOB_NAME', 'job', '--JOB_RUN_ID', 'jr_1', '--day', '2024', '--other', 'x']
      expect(JSON.parse(python(resolve, ...given, '--table-name', 't').stdout)).toEqual({
        JOB_NAME: 'job',
        JOB_RUN_ID: 'jr_1',
        day: '2024',
        'table-name': 't',
      })
      expect(python(resolve, ...given).stdout).toContain('--table-name')
      expect(python('import awsglue.dynamicframe').stderr).toContain('is not in the local stack')
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
