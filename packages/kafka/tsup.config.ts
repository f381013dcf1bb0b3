import { definePackage } from '../../tsup.package.ts'

export default definePackage({ entry: ['src/index.ts', 'src/record-batch-unpacking.ts'] })
