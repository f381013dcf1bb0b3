import {
  CreateNamedQueryCommand,
  CreateWorkGroupCommand,
  DeleteWorkGroupCommand,
  GetWorkGroupCommand,
  ListTagsForResourceCommand,
  paginateListWorkGroups,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateWorkGroupCommand,
} from '@aws-sdk/client-athena'
import { expect } from 'vitest'
import { type CaseAthena, invalidRequest } from './case-athena.ts'

export const describeWorkGroups = (athena: CaseAthena): void => {
  athena.concept('work groups', (it) => {
    const get = async (WorkGroup: string) =>
      (await athena.client.send(new GetWorkGroupCommand({ WorkGroup }))).WorkGroup

    it('are found with their settings, and enforce them by default', async () => {
      const name = await athena.workGroup({ BytesScannedCutoffPerQuery: 20_000_000 })
      expect(await get(name)).toMatchObject({
        Name: name,
        State: 'ENABLED',
        CreationTime: expect.any(Date),
        Configuration: { EnforceWorkGroupConfiguration: true, BytesScannedCutoffPerQuery: 20_000_000 },
      })
      expect(await get('primary')).toMatchObject({ Name: 'primary', State: 'ENABLED' })
    })

    it('are listed by pages, primary among them', async () => {
      const made = [await athena.workGroup(), await athena.workGroup()]
      const names: (string | undefined)[] = []
      for await (const { WorkGroups = [] } of paginateListWorkGroups(
        { client: athena.client, pageSize: 2 },
        {},
      )) {
        expect(WorkGroups.length).toBeLessThanOrEqual(2)
        names.push(...WorkGroups.map(({ Name }) => Name))
      }
      expect(names).toEqual(expect.arrayContaining(['primary', ...made]))
    })

    it('put results where they say, if they are enforced', async () => {
      const OutputLocation = 's3://results/of-the-group/'
      const WorkGroup = await athena.workGroup({ ResultConfiguration: { OutputLocation } })
      const locationOf = async () =>
        (await athena.run('SELECT 1', { WorkGroup })).ResultConfiguration?.OutputLocation
      expect(await locationOf()).toMatch(/^s3:\/\/results\/of-the-group\//)
      const ConfigurationUpdates = { EnforceWorkGroupConfiguration: false }
      await athena.client.send(new UpdateWorkGroupCommand({ WorkGroup, ConfigurationUpdates }))
      expect(await locationOf()).toMatch(/^s3:\/\/results\/[^/]*\.csv$/)
      const { ResultConfiguration } = await athena.run('SELECT 1', {
        WorkGroup,
        ResultConfiguration: undefined,
      })
      expect(ResultConfiguration?.OutputLocation).toMatch(/^s3:\/\/results\/of-the-group\//)
    })

    it('that are disabled start nothing', async () => {
      const WorkGroup = await athena.workGroup()
      await athena.client.send(new UpdateWorkGroupCommand({ WorkGroup, State: 'DISABLED' }))
      await expect(athena.start('SELECT 1', { WorkGroup })).rejects.toMatchObject({
        ...invalidRequest(),
        message: expect.stringMatching(/disabled/i),
      })
      await athena.client.send(new UpdateWorkGroupCommand({ WorkGroup, State: 'ENABLED' }))
      await athena.run('SELECT 1', { WorkGroup })
    })

    it('may limit what a query scans, to 10,000,000 bytes at least', async () => {
      const answer = athena.workGroup({ BytesScannedCutoffPerQuery: 9_999_999 })
      await expect(answer).rejects.toMatchObject(invalidRequest())
    })

    it('cancel a query that scans more than they allow', async () => {
      const database = await athena.database()
      await athena.run(
        `CREATE TABLE large WITH (format = 'PARQUET', write_compression = 'NONE', external_location = '${athena.place()}')
         AS SELECT lpad(cast(n AS varchar), 1200, 'x') AS t FROM UNNEST(sequence(1, 10000)) t(n)`,
        { database },
      )
      const { bytes } = await athena.scan('SELECT max(t) FROM large', { database })
      expect(bytes).toBeGreaterThan(10_000_000)
      const WorkGroup = await athena.workGroup({ BytesScannedCutoffPerQuery: 10_000_000 })
      const { Status } = await athena.ended('SELECT max(t) FROM large', { database, WorkGroup })
      expect(Status).toMatchObject({
        State: 'CANCELLED',
        StateChangeReason: expect.stringMatching(/Bytes scanned limit was exceeded/),
      })
    })

    it('that manage results keep them in no bucket', async () => {
      const WorkGroup = await athena.workGroup({ ManagedQueryResultsConfiguration: { Enabled: true } })
      const asked = { WorkGroup, ResultConfiguration: undefined }
      const execution = await athena.run("SELECT 'x' AS a", asked)
      expect(execution.ManagedQueryResultsConfiguration).toMatchObject({ Enabled: true })
      expect(execution.ResultConfiguration?.OutputLocation).toBeUndefined()
      expect(await athena.rows("SELECT 'x' AS a", asked)).toEqual([['x']])
      await expect(athena.start('SELECT 1', { WorkGroup })).rejects.toMatchObject(invalidRequest())
    })

    it('have plain names, once', async () => {
      const name = await athena.workGroup()
      for (const Name of [name, 'a b', '']) {
        const answer = athena.client.send(new CreateWorkGroupCommand({ Name }))
        await expect(answer).rejects.toMatchObject(invalidRequest())
      }
    })

    it('are deleted with what they have only where that is said; primary never is', async () => {
      const WorkGroup = await athena.workGroup()
      const query = { Name: 'q', Database: 'd', QueryString: 'SELECT 1', WorkGroup }
      await athena.client.send(new CreateNamedQueryCommand(query))
      const remove = (asked: { WorkGroup: string; RecursiveDeleteOption?: boolean }) =>
        athena.client.send(new DeleteWorkGroupCommand(asked))
      await expect(remove({ WorkGroup })).rejects.toMatchObject(invalidRequest())
      await remove({ WorkGroup, RecursiveDeleteOption: true })
      await expect(get(WorkGroup)).rejects.toMatchObject(invalidRequest())
      await expect(remove({ WorkGroup: 'primary' })).rejects.toMatchObject(invalidRequest())
    })

    it('have tags', async () => {
      const Name = athena.name('tagged')
      await athena.client.send(new CreateWorkGroupCommand({ Name, Tags: [{ Key: 'team', Value: 'desk' }] }))
      const ResourceARN = `arn:aws:athena:us-east-1:000000000000:workgroup/${Name}`
      const tags = async () =>
        (await athena.client.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags
      await athena.client.send(new TagResourceCommand({ ResourceARN, Tags: [{ Key: 'cost', Value: '' }] }))
      expect(await tags()).toEqual(
        expect.arrayContaining([
          { Key: 'team', Value: 'desk' },
          { Key: 'cost', Value: '' },
        ]),
      )
      await athena.client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ['team'] }))
      expect(await tags()).toEqual([{ Key: 'cost', Value: '' }])
    })
  })
}
