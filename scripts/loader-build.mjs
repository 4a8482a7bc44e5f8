// Makes beforehand what `scripts/loader.mjs` loads, as far as it is missing, and removes what is out of date.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundledNode } from '../esbuild.config.mjs'
import { englishOnly } from './build/zod.mjs'
import { bundled, cache, compiled, fileOf, nameOf, recipe } from './loader-cache.mjs'
import { root } from './setup.mjs'

const folder = join(cache, recipe)
if (!fs.existsSync(folder)) await bundlePackages()
const kept = new Set([recipe])
// The jobs in e2e/packages are no code of ours: instances compile them.
for (const path of fs.globSync(
  '{src,control-plane,plugins,views,runtime,cli,sdk,jobs-template,e2e}/**/*.{ts,tsx}',
  {
    cwd: root,
    exclude: ['e2e/packages/**'],
  },
)) {
  const source = fs.readFileSync(join(root, path), 'utf8')
  compiled(path, source)
  kept.add(nameOf(path, source))
}
for (const name of fs.readdirSync(cache))
  if (!kept.has(name)) fs.rmSync(join(cache, name), { recursive: true })

/** All in one build: what several packages share has to be there once. */
async function bundlePackages() {
  const part = `${folder}.${process.pid}`
  const entries = await Promise.all(
    bundled.map(async name => {
      const names = Object.keys(await import(name)).filter(each => each !== 'module.exports')
      return [fileOf(name), `export { ${names.join(', ')} } from '${name}'`]
    }),
  )
  await build({
    ...bundledNode,
    entryPoints: entries.map(([file]) => ({ in: `entry:${file}`, out: file.replace(/\.js$/, '') })),
    outdir: part,
    plugins: [englishOnly, virtual(new Map(entries))],
  })
  fs.writeFileSync(join(part, 'package.json'), '{"type":"module"}')
  fs.renameSync(part, folder)
}

/** Entry points that are not files. */
function virtual(contents) {
  return {
    name: 'virtual',
    setup(build) {
      build.onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'entry' }))
      build.onLoad({ filter: /.*/, namespace: 'entry' }, ({ path }) => ({
        contents: contents.get(path),
        resolveDir: root,
      }))
    },
  }
}
