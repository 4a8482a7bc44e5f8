import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, extname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { parse } from 'acorn'
import { build } from 'esbuild'
import { buildRunnerCode } from './scripts/runner-code.mjs'
import { buildSdkPackage } from './scripts/sdk-package.mjs'
import { buildStarter } from './scripts/starter.mjs'

const root = import.meta.dirname
const dist = join(root, 'dist')
/** Built aside and then put in place whole: a build that fails leaves the last good one. */
const out = join(root, `dist.${process.pid}.tmp`)

/** Builds both programs, the runner and the assets into `dist/`. */
export async function buildAll() {
  try {
    mkdirSync(out, { recursive: true })
    await Promise.all([
      buildPrograms(),
      buildRunner(),
      buildZod(),
      buildAssets(),
      buildSdkPackage(out, parts),
    ])
    copyData()
    await buildStarter(out)
    await buildRunnerCode(out)
    makeAhead()
    rmSync(dist, { recursive: true, force: true })
    renameSync(out, dist)
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}

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

/** How modules with packages among them are bundled for Node, what several entry points share into chunks. */
export const bundledNode = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node26',
  legalComments: 'none',
  // A native addon, and a program of its own.
  external: ['better-sqlite3', 'esbuild'],
  // CommonJS packages in the bundle call require().
  banner: {
    js: "const require = process.getBuiltinModule('module').createRequire(import.meta.url);",
  },
  logLevel: 'warning',
}

/**
 * Each bundled whole: a program starts from one file in half the time of a folder of modules, and from one that shares
 * chunks with others later than from one of its own. The small ones share theirs.
 */
async function buildPrograms() {
  const entries = [
    { 'control-plane': 'control-plane/main.ts' },
    { 'edge-worker': 'plugins/router/edge-worker.ts' },
    { edge: 'plugins/router/workers/main.ts' },
    {
      'manifest-reader': 'runtime/manifest/manifest-reader.ts',
      git: 'runtime/repo/git.ts',
      history: 'runtime/repo/history-program.ts',
      sync: 'runtime/sync/program.ts',
      receive: 'runtime/git-server/program.ts',
      copy: 'runtime/copy/main.ts',
      restore: 'control-plane/restore.ts',
      longhouse: 'cli/main.ts',
    },
  ]
  await Promise.all([...entries.map(buildProgram), buildRuntime()])
}

/** What the runtime loads when it first needs it: each in a file of its own, which takes no memory until then. */
const late = {
  '@hono/node-server': 'requests.cjs',
  nodemailer: 'mail.cjs',
  'pino-pretty': 'readable-log.cjs',
  './sso-token.ts': 'sso-token.cjs',
}

/**
 * The runtime: a few lines that load the program, one script whose compiled code is kept (`src/kept-code.ts`), and what that
 * loads late.
 */
async function buildRuntime() {
  const options = {
    ...programs,
    splitting: false,
    sourcemap: true,
    sourcesContent: false,
    minifyWhitespace: true,
  }
  const script = {
    ...options,
    format: 'cjs',
    lineLimit: 160,
    define: { ...programs.define, 'import.meta.dirname': '__dirname', 'import.meta.url': '__filename' },
    // There is no module that it could import into.
    supported: { 'dynamic-import': false },
  }
  await Promise.all([
    build({
      ...options,
      entryPoints: { runtime: 'runtime/start.ts' },
      outdir: out,
      plugins: [nodeByRequire],
    }),
    build({
      ...script,
      entryPoints: { runtime: 'runtime/main.ts' },
      outdir: out,
      outExtension: { '.js': '.cjs' },
      banner: { js: asFunction.begin },
      footer: { js: asFunction.end },
      plugins: [englishOnly, zodInPart, lateInFiles, afterBuild(text => oneByte(nodeByProxy(text)))],
    }),
    build({
      ...script,
      entryPoints: Object.fromEntries(
        Object.entries(late).map(([from, file]) => [
          basename(file, '.cjs'),
          from.replace('./', 'runtime/auth/'),
        ]),
      ),
      outdir: join(out, 'late'),
      outExtension: { '.js': '.cjs' },
      banner: { js: `"use strict";${nodeModule}` },
      plugins: [zodInPart, afterBuild(nodeByProxy)],
    }),
  ])
}

const lateInFiles = {
  name: 'late-in-files',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'dynamic-import' && late[path] ? { path: `./late/${late[path]}`, external: true } : undefined,
    )
  },
}

async function buildProgram(entries) {
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).filter(([, file]) => existsSync(join(root, file))),
    ),
    outdir: out,
    ...programs,
    sourcemap: true,
    sourcesContent: false,
    plugins: [...programs.plugins, nodeByRequire],
    // Comments would be a third of what every instance holds in memory; one letter outside of ASCII doubles that.
    minifyWhitespace: true,
    // A stack trace names a place that can be found.
    lineLimit: 160,
  })
}

const programs = {
  ...bundledNode,
  // Beside the programs: programRoot() is the folder of whichever file it was bundled into.
  chunkNames: 'chunk-[hash]',
  plugins: [englishOnly, zodInPart],
  define: { BUNDLED: 'true' },
  jsx: 'automatic',
  jsxImportSource: 'hono/jsx',
}

/**
 * Has the bundle require Node's own modules. Importing one loads all that it ever offers: `node:http` brings the whole of
 * `fetch`, which is a twentieth of the runtime's start.
 */
const nodeByRequire = afterBuild(byRequire)

/** Changes the text of each script that a build makes. */
function afterBuild(change) {
  return {
    name: 'after-build',
    setup(build) {
      build.initialOptions.write = false
      build.onEnd(({ outputFiles = [] }) => {
        for (const { path, contents, text } of outputFiles) {
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, /\.c?js$/.test(path) ? change(text) : contents)
        }
      })
    },
  }
}

/** Replaces imports of Node's modules in a bundled file. Places keep their lines, for stack traces. */
function byRequire(text) {
  const { body } = parse(text, { ecmaVersion: 'latest', sourceType: 'module' })
  let done = ''
  let from = 0
  for (const { type, start, end, source, specifiers } of body) {
    if (type !== 'ImportDeclaration' || !isBuiltin(source.value)) continue
    const lines = text.slice(start, end).replace(/[^\n]/g, '')
    done += `${text.slice(from, start)}${required(source.raw, specifiers)}${lines}`
    from = end
  }
  return done + text.slice(from)
}

function required(source, specifiers) {
  const module = `require(${source})`
  const named = specifiers
    .filter(({ type }) => type === 'ImportSpecifier')
    .map(({ imported, local }) => `${imported.name}:${local.name}`)
  const whole = specifiers.filter(({ type }) => type !== 'ImportSpecifier').map(({ local }) => local.name)
  const parts = [...whole, ...(named.length > 0 ? [`{${named.join(',')}}`] : [])]
  return parts.length === 0 ? `${module};` : `const ${parts.map(part => `${part}=${module}`).join(',')};`
}

/** A default import of a module of Node's is the module. esbuild would copy all that it offers, and so load all of it. */
const nodeModule = 'const nodeModule = found => ({ __proto__: found, default: found });'

function nodeByProxy(text) {
  return text.replace(/__toESM\((require\("([\w:/]+)"\))(?:, ?1)?\)/g, (whole, required, name) =>
    isBuiltin(name) ? `nodeModule(${required})` : whole,
  )
}

/** A program as one function, which `src/kept-code.ts` calls. Our code is strict wherever it is. */
const asFunction = {
  begin: `(function(exports,require,module,__filename,__dirname){"use strict";${nodeModule}`,
  end: '})',
}

/** A text of one byte a letter takes half the memory of another, and its places are the same in bytes. */
function oneByte(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  const other = /[^\x00-\x7f]/.exec(text)
  if (other)
    throw new Error(
      `the runtime has a letter outside of ASCII: ${text.slice(other.index - 40, other.index + 40)}`,
    )
  return text
}

/**
 * Started for every run, and what confines the other programs. Each in one CommonJS file: importing a module of Node's as ECMAScript loads all that it ever offers,
 * which was a quarter of the processor time of a run that does nothing.
 */
const runnerPrograms = {
  absWorkingDir: root,
  entryPoints: {
    runner: 'runtime/runner/runner.ts',
    confine: 'runtime/isolation/preload.ts',
    modules: 'runtime/modules/preload.ts',
    serving: 'runtime/modules/serving.ts',
  },
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node26',
  legalComments: 'none',
  define: { BUNDLED: 'true', 'import.meta.dirname': '__dirname' },
  banner: { js: `"use strict"; ${nodeModule}` },
  plugins: [afterBuild(nodeByProxy)],
  logLevel: 'warning',
}

async function buildRunner() {
  const entryPoints = {
    ...runnerPrograms.entryPoints,
    runner: 'runtime/process/start-runner.ts',
    npm: 'runtime/packages/npm/program.ts',
    exec: 'runtime/process/exec.ts',
  }
  const options = { ...runnerPrograms, outdir: out, sourcemap: true, sourcesContent: false }
  await Promise.all([
    build({ ...options, entryPoints }),
    build({
      ...options,
      entryPoints: { 'runner-program': runnerPrograms.entryPoints.runner },
      banner: { js: asFunction.begin },
      footer: { js: asFunction.end },
      plugins: [afterBuild(text => oneByte(nodeByProxy(text)))],
    }),
  ])
}

/** For jobs that import it without having installed it. All of it, and apart from the programs, which need a part. */
const zodModule = {
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

async function buildZod() {
  await build({ ...zodModule, outdir: out })
}

/** How what the npm package has in common with an instance is built. */
const parts = { programs, runnerPrograms, zodModule }

/** Style and script under names that change with their content, so that browsers may keep them for ever. */
async function buildAssets() {
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

/** What programs read at run time, below the same paths as in the source tree. */
function copyData() {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(out, 'package.json'), JSON.stringify({ name: 'longhouse', version, type: 'module' }))
  const migrations = ['plugins', 'runtime'].flatMap(room =>
    readdirSync(join(root, room)).map(plugin => `${room}/${plugin}/migrations`),
  )
  for (const folder of [...migrations, 'jobs-template', 'sdk']) {
    if (existsSync(join(root, folder))) cpSync(join(root, folder), join(out, folder), { recursive: true })
  }
}

/** What every start would make again, by the program itself: see `runtime/main.ts`. */
function makeAhead() {
  const args = [join(out, 'runtime.js'), '--make-ahead', out]
  const env = { ...process.env, NODE_COMPILE_CACHE: '', NODE_DISABLE_COMPILE_CACHE: '1' }
  execFileSync(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] })
}

if (process.argv[1] === import.meta.filename) await buildAll()
