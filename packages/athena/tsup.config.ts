import { definePackage } from '../../tsup.package.ts'

export default definePackage({ entry: ['src/index.ts', 'src/kysely/index.ts', 'src/results/index.ts'] })
