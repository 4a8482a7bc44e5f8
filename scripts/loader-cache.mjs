// What `scripts/loader.mjs` loads, in `node_modules/.cache/loader`.
import { hash } from 'node:crypto'
import * as fs from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './setup.mjs'

export const cache = join(root, 'node_modules/.cache/loader')

/** Changes with everything but the sources themselves that decides what becomes of them. */
export const recipe = hash(
  'sha256',
  ['scripts/loader-cache.mjs', 'scripts/loader-build.mjs', 'package-lock.json']
    .map(file => fs.readFileSync(join(root, file), 'utf8'))
    .join(process.version),
)

/**
 * The packages that the loader takes from a bundle: those that the build bundles into our programs. What only tests
 * import stays as it is.
 */
export const bundled = [
  ...['@hono/node-server', 'croner', 'isomorphic-git', 'jose', 'nodemailer', 'openid-client', 'pino'],
  ...['drizzle-orm', 'drizzle-orm/better-sqlite3', 'drizzle-orm/better-sqlite3/migrator'],
  ...['drizzle-orm/sqlite-core', 'hono', 'hono/compress', 'hono/cookie', 'hono/html', 'hono/http-exception'],
  ...['hono/jsx', 'hono/jsx/jsx-runtime', 'hono/jsx-renderer', 'hono/secure-headers'],
  ...['stripe', 'toad-scheduler', 'zod'],
]

/** The URL of each bundled package. Empty until `loader-build.mjs` has run for this lock file. */
export function bundledPackages() {
  const folder = join(cache, recipe)
  if (!fs.existsSync(folder)) return new Map()
  return new Map(bundled.map(name => [name, pathToFileURL(join(folder, fileOf(name))).href]))
}

/** The file of a bundled package, in the folder named by the recipe. */
export function fileOf(name) {
  return `${name.replaceAll('/', '-')}.js`
}

/** A source, at `path` in the repository, as JavaScript. */
export function compiled(path, source) {
  const file = join(cache, nameOf(path, source))
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const made = path.endsWith('.tsx') ? compiledPage(path, source) : compiledSource(source)
  fs.mkdirSync(cache, { recursive: true })
  // Renamed into place: another process never reads half of it.
  fs.writeFileSync(`${file}.${process.pid}`, made)
  fs.renameSync(`${file}.${process.pid}`, file)
  return made
}

/** The cached file of a compiled source. */
export function nameOf(path, source) {
  return `${hash('sha256', `${recipe} ${path} ${source}`)}.js`
}

/** Replaces types by blanks. */
function compiledSource(source) {
  const { emitWarning } = process
  // Node warns that this function is experimental.
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

function compiledPage(path, source) {
  const { transformSync } = createRequire(import.meta.url)('esbuild')
  return transformSync(source, {
    sourcefile: basename(path),
    sourcemap: 'inline',
    sourcesContent: false,
    loader: 'tsx',
    format: 'esm',
    target: 'node26',
    jsx: 'automatic',
    jsxImportSource: 'hono/jsx',
  }).code
}
