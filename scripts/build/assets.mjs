import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from '../setup.mjs'

/** Style and script under names that change with their content, so that browsers may keep them for ever. */
export async function buildAssets(out) {
  const folder = join(out, 'assets')
  mkdirSync(folder, { recursive: true })
  const index = {}
  const style = await build({
    entryPoints: [join(root, 'views/assets/style.css')],
    bundle: true,
    minify: true,
    write: false,
    logLevel: 'warning',
  })
  const scripts = await build({
    entryPoints: ['editor.js', 'passkeys.js'].map(name => join(root, 'views/assets', name)),
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  })
  const files = {
    ...Object.fromEntries(
      scripts.outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]),
    ),
    'style.css': Buffer.from(style.outputFiles[0].contents),
    'htmx.js': readFileSync(join(root, 'node_modules/htmx.org/dist/htmx.min.js')),
    ...Object.fromEntries(
      readdirSync(join(root, 'views/assets'))
        .filter(name => name.endsWith('.svg'))
        .map(name => [name, readFileSync(join(root, 'views/assets', name))]),
    ),
  }
  for (const [name, content] of Object.entries(files)) {
    const hash = createHash('sha256')
      .update(content)
      .digest('base64url')
      .replace(/[^a-zA-Z0-9]/g, '')
      .slice(0, 10)
    const file = `${basename(name, extname(name))}-${hash}${extname(name)}`
    index[name] = file
    writeFileSync(join(folder, file), content)
    writeFileSync(join(folder, `${file}.gz`), gzipSync(content, { level: 9 }))
    writeFileSync(join(folder, `${file}.br`), brotliCompressSync(content))
  }
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index))
}
