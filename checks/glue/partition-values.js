const formats = new Map()

/** The fields of an instant in a zone, worked out apart from the sink: by Intl. */
const fieldsIn = (timeZone, instant) => {
  if (!formats.has(timeZone)) {
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', hourCycle: 'h23' }
    formats.set(timeZone, new Intl.DateTimeFormat('en-US', { timeZone, ...fields }))
  }
  const parts = formats.get(timeZone).formatToParts(instant)
  return Object.fromEntries(parts.map(({ type, value }) => [type, value]))
}

/** The partition values of a row as queries give them. */
export const partitionValues = (partitions, row) =>
  partitions.map(({ transform, source, timeZone = 'UTC' }) => {
    const value = row[source]
    if (value === null || value === undefined) return null
    if (transform === 'identity') return String(value)
    const { year, month, day, hour } = fieldsIn(timeZone, value)
    return {
      year,
      month: `${year}-${month}`,
      day: `${year}-${month}-${day}`,
      hour: `${year}-${month}-${day}-${hour}`,
    }[transform]
  })
