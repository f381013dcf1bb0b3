export type { CommandIO } from './command.ts'
export { main } from './main.ts'
