/** The fixed data, by name: trades of about 90 or 400 bytes, in a plain or a zstd topic, hours in order or shuffled. */
export const dataSets = Object.fromEntries(
  ['90', '400'].flatMap((bytes) =>
    ['plain', 'zstd'].flatMap((compression) =>
      ['in-order', 'shuffled'].map((order) => [
        `${bytes}-${compression}-${order}`,
        { data: `trades-${bytes}`, compression, shuffled: order === 'shuffled', partitions: 4 },
      ]),
    ),
  ),
)

/** What the thresholds and the CPU seconds of well set up rivals are about. */
export const standardData = '90-plain-in-order'
