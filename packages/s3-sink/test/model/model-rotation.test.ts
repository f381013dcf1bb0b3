import { describeModel, never } from './describe-model.ts'

describeModel({
  rows: { rotation: { ...never, rows: 7 } },
  bytes: { rotation: { ...never, bytes: 4000 } },
  age: { rotation: { ...never, ageMillis: 2000 }, weights: { time: 16 } },
  idleness: { rotation: { ...never, idleMillis: 1500 }, weights: { time: 16, read: 12 } },
  'event time': { rotation: { ...never, eventTime: 'hour' } },
  memory: { rotation: never, options: { memory: 4_000 } },
})
