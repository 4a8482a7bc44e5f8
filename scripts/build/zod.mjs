// zod in bundles: what of it the programs need, and all of it for jobs that have not installed it.
import { readFileSync } from 'node:fs'
import { build } from 'esbuild'
import { root } from '../setup.mjs'

/** zod brings its messages in fifty languages, and ours are our own: 360 kB less to read at every start. */
export const englishOnly = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
    }))
  },
}

/**
 * Has our own modules import zod as a namespace, of which only what they use is bundled. Its export `z` holds all of zod, which
 * is a tenth of the runtime's text, and is set up at every start.
 */
export const zodInPart = {
  name: 'zod-in-part',
  setup(build) {
    const folders = ['cli', 'control-plane', 'plugins', 'runtime', 'sdk', 'src', 'views'].join('|')
    build.onLoad({ filter: new RegExp(`^${RegExp.escape(root)}/(?:${folders})/.*\\.tsx?$`) }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(
        /^import \{ z \} from 'zod'$/m,
        "import * as z from 'zod'",
      ),
      loader: path.endsWith('.tsx') ? 'tsx' : 'ts',
    }))
  },
}

/** For jobs that import it without having installed it. All of it, and apart from the programs, which need a part. */
export const zodModule = {
  absWorkingDir: root,
  entryPoints: { zod: 'node_modules/zod/index.js' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  legalComments: 'none',
  plugins: [englishOnly],
  logLevel: 'warning',
}

export async function buildZod(out) {
  await build({ ...zodModule, outdir: out })
}
