// biome-ignore-all lint/suspicious/noThenProperty: the name of an option; its values are text.
import { describeModel, never } from './describe-model.ts'

describeModel({
  flush: { rotation: never, weights: { flush: 5 } },
  revocation: { rotation: never, weights: { revoke: 3, giveUp: 1, join: 3 } },
  closing: { rotation: never, weights: { close: 2, join: 4 } },
  'a change of the schema': { rotation: { ...never, rows: 7 }, weights: { join: 4 }, schemaChanges: true },
  'rows, late ones apart': {
    rotation: { ...never, rows: 7 },
    options: { late: { allowed: '10 minutes', then: 'separate-prefix' } },
  },
  'all of them, late rows dead letters': {
    rotation: { rows: 12, bytes: 6000, ageMillis: 5000, idleMillis: 4000, eventTime: 'hour' },
    weights: { flush: 2, revoke: 2, close: 1 },
    options: { late: { allowed: '20 minutes', then: 'dead-letter' } },
  },
})
