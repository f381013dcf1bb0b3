import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

/** The one build configuration of every published package: ESM for Node 20, declarations unless `--no-dts`. */
export const definePackage = ({ entry }: { entry: string[] }) =>
  defineConfig({
    entry,
    format: ['esm'],
    platform: 'node',
    target: 'node20',
    dts: true,
    sourcemap: true,
    clean: true,
    treeshake: true,
    removeNodeProtocol: false,
    define: {
      __PACKAGE_VERSION__: JSON.stringify(JSON.parse(readFileSync('package.json', 'utf8')).version),
    },
  })
