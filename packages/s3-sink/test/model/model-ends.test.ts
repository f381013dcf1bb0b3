import { describeModel, never } from './describe-model.ts'

describeModel({
  flush: { rotation: never, weights: { flush: 5 } },
  revocation: { rotation: never, weights: { revoke: 3, giveUp: 1, join: 3 } },
  closing: { rotation: never, weights: { close: 2, join: 4 } },
  'a change of the schema': { rotation: { ...never, rows: 7 }, weights: { join: 4 }, schemaChanges: true },
  'all of them': {
    rotation: { rows: 12, bytes: 6000, ageMillis: 5000 },
    weights: { flush: 2, revoke: 2, close: 1 },
  },
})
