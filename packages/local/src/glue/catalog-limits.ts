/** How much Glue lets an account have, as its quotas begin. */
export const catalogLimits = {
  databases: 10_000,
  tablesPerDatabase: 200_000,
  partitionsPerTable: 10_000_000,
  versionsPerTable: 100_000,
  functionsPerDatabase: 100,
  indexesPerTable: 3,
  tagsPerResource: 50,
} as const
