import { execFileSync } from 'node:child_process'
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
import { basename, join } from 'node:path'
import { build } from 'esbuild'
import { buildAssets } from './scripts/build/assets.mjs'
import { buildRunnerCode } from './scripts/build/runner-code.mjs'
import {
  afterBuild,
  asFunction,
  nodeByProxy,
  nodeByRequire,
  nodeModule,
  oneByte,
} from './scripts/build/script-text.mjs'
import { buildSdkPackage } from './scripts/build/sdk-package.mjs'
import { buildStarter } from './scripts/build/starter.mjs'
import { buildZod, englishOnly, zodInPart, zodModule } from './scripts/build/zod.mjs'

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
      buildZod(out),
      buildAssets(out),
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

/** How what the npm package has in common with an instance is built. */
const parts = { programs, runnerPrograms, zodModule }

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
