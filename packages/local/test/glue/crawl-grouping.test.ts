import { describe, expect, it } from 'vitest'
import { startCrawlers } from './crawler-fixture.ts'

const row = '{"a":1,"b":2,"c":3}'
const grouping = (policy: Record<string, unknown>) => ({
  Configuration: JSON.stringify({ Version: 1.0, Grouping: policy }),
})

describe('a crawler that finds many folders', () => {
  it('makes plain folders of like schemas partitions, with the keys partition_0 and on', async () => {
    await using crawlers = await startCrawlers()
    for (const folder of ['us/2024', 'us/2025', 'eu/2024', 'eu/2025']) {
      await crawlers.put(`raw/${folder}/x.json`, row)
    }
    await crawlers.create()
    expect(await crawlers.run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(crawlers.tables()).toEqual(['raw'])
    const keys = crawlers.glue.catalog.requireTable('market', 'raw').PartitionKeys
    expect(keys?.map((key) => key.Name)).toEqual(['partition_0', 'partition_1'])
    expect(crawlers.partitions('raw')).toEqual(['eu/2024', 'eu/2025', 'us/2024', 'us/2025'])
  })

  it('makes tables of folders whose schemas are not alike, unless it combines what fits', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/year=2017/x.json', '{"A":1,"B":2}')
    await crawlers.put('raw/year=2018/x.json', '{"C":3,"D":4}')
    await crawlers.create()
    await crawlers.run()
    expect(crawlers.tables()).toEqual(['year_2017', 'year_2018'])
    await crawlers.glue.handle('DeleteTable', { DatabaseName: 'market', Name: 'year_2017' })
    await crawlers.glue.handle('DeleteTable', { DatabaseName: 'market', Name: 'year_2018' })
    await crawlers.glue.handle('UpdateCrawler', {
      Name: 'crawl',
      ...grouping({ TableGroupingPolicy: 'CombineCompatibleSchemas' }),
    })
    await crawlers.run()
    expect(crawlers.tables()).toEqual(['raw'])
    expect(crawlers.columns('raw')).toEqual(['a int', 'b int', 'c int', 'd int'])
    expect(crawlers.partitions('raw')).toEqual(['2017', '2018'])
  })

  it('makes partitions when most schemas are alike', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/dt=1/x.json', row)
    await crawlers.put('raw/dt=2/x.json', row)
    await crawlers.put('raw/dt=3/x.json', '{"z":1}')
    await crawlers.create()
    await crawlers.run()
    expect(crawlers.tables()).toEqual(['raw'])
    expect(crawlers.columns('raw')).toEqual(['a int', 'b int', 'c int', 'z int'])
  })

  it('makes tables of folders of two formats, even when it combines', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/us/x.json', row)
    await crawlers.put('raw/eu/x.csv', 'a,b,c\n1,2,3\n')
    await crawlers.create(grouping({ TableGroupingPolicy: 'CombineCompatibleSchemas' }))
    await crawlers.run()
    expect(crawlers.tables()).toEqual(['eu', 'us'])
  })

  it('makes a table of each folder at the level it is told', async () => {
    await using crawlers = await startCrawlers()
    for (const folder of ['us/2024', 'us/2025', 'eu/2024']) await crawlers.put(`raw/${folder}/x.json`, row)
    await crawlers.create(grouping({ TableLevelConfiguration: 3 }))
    await crawlers.run()
    expect(crawlers.tables()).toEqual(['eu', 'us'])
    expect(crawlers.partitions('us')).toEqual(['2024', '2025'])
    await crawlers.put('raw/x.json', row)
    expect(await crawlers.run()).toMatchObject({
      Status: 'FAILED',
      ErrorMessage: expect.stringContaining('above the table level 3'),
    })
  })

  it('keeps the table that is there, with the names of its keys', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/us/x.json', row)
    const { catalog } = crawlers.glue
    catalog.createTable('market', {
      Name: 'mine',
      PartitionKeys: [{ Name: 'region', Type: 'string' }],
      StorageDescriptor: { Columns: [{ Name: 'a', Type: 'int' }], Location: 's3://lake/raw' },
    })
    await crawlers.create()
    expect(await crawlers.run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(crawlers.tables()).toEqual(['mine'])
    expect(crawlers.partitions('mine')).toEqual(['us'])
  })
})

describe('a crawler of catalog tables', () => {
  const targets = { Targets: { CatalogTargets: [{ DatabaseName: 'market', Tables: ['mine'] }] } }
  const policy = { SchemaChangePolicy: { DeleteBehavior: 'LOG' } }

  it('brings their columns and partitions up to date, and makes no other table', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.put('raw/dt=1/x.json', row)
    crawlers.glue.catalog.createTable('market', {
      Name: 'mine',
      PartitionKeys: [{ Name: 'dt', Type: 'string' }],
      StorageDescriptor: { Columns: [], Location: 's3://lake/raw/' },
    })
    await crawlers.create({ DatabaseName: undefined, ...targets, ...policy })
    expect(await crawlers.run()).toMatchObject({ Status: 'SUCCEEDED' })
    expect(crawlers.tables()).toEqual(['mine'])
    expect(crawlers.columns('mine')).toEqual(['a int', 'b int', 'c int'])
    expect(crawlers.partitions('mine')).toEqual(['1'])
  })

  it('fails when a table is missing, and may delete nothing', async () => {
    await using crawlers = await startCrawlers()
    await expect(crawlers.create(targets)).rejects.toMatchObject({ name: 'InvalidInputException' })
    await crawlers.create({ ...targets, ...policy })
    expect(await crawlers.run()).toMatchObject({
      Status: 'FAILED',
      ErrorMessage: 'Table market.mine is not there, or has no location.',
    })
  })
})

describe('what a crawler remembers', () => {
  it('lists its crawls newest first, by page and by state, and counts its tables', async () => {
    await using crawlers = await startCrawlers()
    await crawlers.create()
    await crawlers.put('raw/x.json', row)
    await crawlers.run()
    await crawlers.put('raw/y.csv', 'a,b\n1,2\n')
    await crawlers.run()
    const list = (more: Record<string, unknown> = {}) =>
      crawlers.glue.handle('ListCrawls', { CrawlerName: 'crawl', ...more })
    const first = await list({ MaxResults: 1 })
    expect(first['Crawls']).toMatchObject([{ State: 'FAILED', ErrorMessage: expect.any(String) }])
    const second = await list({ MaxResults: 1, NextToken: first['NextToken'] })
    expect(second).toMatchObject({
      Crawls: [{ State: 'COMPLETED', Summary: '{"TABLE":{"ADD":1,"UPDATE":0,"DELETE":0}}' }],
    })
    expect(second['NextToken']).toBeUndefined()
    const Filters = [{ FieldName: 'STATE', FilterOperator: 'EQ', FieldValue: 'COMPLETED' }]
    expect((await list({ Filters }))['Crawls']).toHaveLength(1)
    expect(await crawlers.glue.handle('GetCrawlerMetrics', {})).toMatchObject({
      CrawlerMetricsList: [
        { CrawlerName: 'crawl', TablesCreated: 1, TablesUpdated: 0, StillEstimating: false },
      ],
    })
  })

  it('keeps a schedule that nothing runs by, and refuses text that is none', async () => {
    await using crawlers = await startCrawlers()
    for (const Schedule of ['rate(1 day)', 'cron(0 1 * * * *)', 'cron(60 1 * * ? *)', 'cron(0 1 * * ?)']) {
      await expect(crawlers.create({ Schedule })).rejects.toMatchObject({ name: 'InvalidInputException' })
    }
    await crawlers.create({ Schedule: 'cron(0/15 8-18 ? * MON-FRI *)' })
    const scheduled = async () => {
      const { Crawler } = await crawlers.glue.handle('GetCrawler', { Name: 'crawl' })
      return (Crawler as { Schedule?: unknown }).Schedule
    }
    const ScheduleExpression = 'cron(0/15 8-18 ? * MON-FRI *)'
    expect(await scheduled()).toEqual({ ScheduleExpression, State: 'SCHEDULED' })
    const call = (operation: string) => crawlers.glue.handle(operation, { CrawlerName: 'crawl' })
    await expect(call('StartCrawlerSchedule')).rejects.toMatchObject({ name: 'SchedulerRunningException' })
    await call('StopCrawlerSchedule')
    expect(await scheduled()).toEqual({ ScheduleExpression, State: 'NOT_SCHEDULED' })
    await call('UpdateCrawlerSchedule')
    expect(await scheduled()).toBeUndefined()
    await expect(call('StartCrawlerSchedule')).rejects.toMatchObject({ name: 'NoScheduleException' })
  })
})

describe('tags of crawlers and jobs', () => {
  const kinds = [
    { kind: 'crawler', create: 'CreateCrawler', list: 'ListCrawlers', names: 'CrawlerNames', member: 'Name' },
    { kind: 'job', create: 'CreateJob', list: 'ListJobs', names: 'JobNames', member: 'JobName' },
  ]
  it.each(kinds)(
    'are kept, listed by and deleted with a $kind',
    async ({ kind, create, list, names, member }) => {
      await using crawlers = await startCrawlers()
      const { glue } = crawlers
      const definition = {
        Role: 'role',
        DatabaseName: 'market',
        Targets: { S3Targets: [{ Path: 's3://lake/raw' }] },
        Command: { Name: 'pythonshell', ScriptLocation: 's3://lake/job.py' },
      }
      await glue.handle(create, { ...definition, Name: 'a', Tags: { team: 'x', env: 'dev' } })
      await glue.handle(create, { ...definition, Name: 'b', Tags: { team: 'y' } })
      const ResourceArn = `arn:aws:glue:us-east-1:000000000000:${kind}/a`
      expect(await glue.handle('GetTags', { ResourceArn })).toEqual({ Tags: { team: 'x', env: 'dev' } })
      expect(await glue.handle(list, { Tags: { team: 'x' } })).toMatchObject({ [names]: ['a'] })
      expect(await glue.handle(list, { Tags: { team: 'x', env: 'test' } })).toMatchObject({ [names]: [] })
      await glue.handle(create.replace('Create', 'Delete'), { [member]: 'a' })
      await glue.handle(create, { ...definition, Name: 'a' })
      expect(await glue.handle('GetTags', { ResourceArn })).toEqual({ Tags: {} })
    },
  )
})
