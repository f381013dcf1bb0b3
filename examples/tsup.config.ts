import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['run-full-pipeline.ts'],
  format: ['esm'],
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  clean: true,
  removeNodeProtocol: false,
})
