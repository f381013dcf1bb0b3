const dayIn = new Map()

/** The partition values of a row as queries give them, worked out apart from the sink: by Intl. */
export const partitionValues = (partitions, row) =>
  partitions.map(({ transform, source, timeZone = 'UTC' }) => {
    const value = row[source]
    if (value === null || value === undefined) return null
    if (transform === 'identity') return String(value)
    if (transform !== 'day') throw new Error(`the check has no rule for ${transform}`)
    if (!dayIn.has(timeZone)) dayIn.set(timeZone, new Intl.DateTimeFormat('en-CA', { timeZone }))
    return dayIn.get(timeZone).format(value)
  })
