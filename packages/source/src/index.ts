export { type BridgeDailyBarsOptions, type BridgedTrade, bridgeDailyBars } from './bridged-trades.ts'
export { type ReplayCsvOptions, replayCsv } from './csv-replay.ts'
export type { DailyBar } from './daily-bar.ts'
export { type ReplayNdjsonOptions, replayNdjson } from './ndjson-replay.ts'
