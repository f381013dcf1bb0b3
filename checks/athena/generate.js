import { Random } from '../stack/random.js'
import { RandomQuery } from './random-query.js'

/** `count` queries over the golden tables that follow from the seed. */
export const generatedStatements = (count, seed) => {
  const queries = new RandomQuery(new Random(seed))
  return Array.from({ length: count }, (_, index) => ({ name: `generated ${index}`, sql: queries.query() }))
}
