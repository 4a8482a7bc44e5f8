// `npm run images`: builds the images of both programs on the Docker engine that DOCKER_HOST names. The build context
// is assembled here from what `npm ci` and the build left, so that nothing is installed or compiled inside.
//   node docker/images.mjs [--tag <tag>] [--base <image with Node 26>]
// Each image is tagged with the package's version and `latest`, or with <tag> alone. Without --base or BASE_IMAGE it is
// the public one of the Dockerfiles, or one made from Debian's mirror where that cannot be pulled.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildIfChanged } from '../scripts/build.mjs'
import { root, setUp } from '../scripts/setup.mjs'

const { values: options } = parseArgs({
  options: { base: { type: 'string', default: process.env.BASE_IMAGE }, tag: { type: 'string' } },
})
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tags = options.tag ? [options.tag] : [version, 'latest']

/** What belongs to one program of `dist/` alone; chunks and assets belong to both. */
const own = {
  'control-plane': ['control-plane.js', 'plugins'],
  runtime: [
    'runtime.js',
    'runner.cjs',
    'manifest-reader.js',
    'git.js',
    'history.js',
    'sync.js',
    'longhouse-jobs.js',
    'runtime',
    'jobs-template',
    'starter',
  ],
}

const publicBase = 'node:26-bookworm-slim'

setUp()
if (!buildIfChanged()) process.exit(1)
const arch = engineArch()
const base = options.base ?? defaultBase()
const context = mkdtempSync(join(tmpdir(), 'longhouse-images-'))
process.on('exit', () => rmSync(context, { recursive: true, force: true }))
assemble(context)
for (const program of Object.keys(own)) {
  console.error(`Building longhouse-${program} …`)
  run('docker', [
    'build',
    '--quiet',
    '--network=none',
    '--build-arg',
    `BASE_IMAGE=${base}`,
    ...tags.flatMap(tag => ['--tag', `longhouse-${program}:${tag}`]),
    '--file',
    join(root, 'docker', `${program}.dockerfile`),
    context,
  ])
  console.error(tags.map(tag => `  longhouse-${program}:${tag}`).join('\n'))
}

/** Both programs, each with the few packages that cannot be bundled, cut down to what runs on Linux of one kind. */
function assemble(folder) {
  const dist = join(root, 'dist')
  for (const [program, files] of Object.entries(own)) {
    const others = Object.entries(own).flatMap(([name, names]) => (name === program ? [] : names))
    if (!existsSync(join(dist, files[0]))) fail(`the build made no dist/${files[0]}`)
    cpSync(dist, join(folder, program), {
      recursive: true,
      filter: path =>
        !/\.map$|\.sources$|\/compile-cache$/.test(path) && !others.some(name => path === join(dist, name)),
    })
  }
  const modules = [
    'better-sqlite3/package.json',
    'better-sqlite3/lib',
    `better-sqlite3/prebuilds/linux-${arch}.node`,
    'esbuild/package.json',
    'esbuild/lib/main.js',
    `@esbuild/linux-${arch}/package.json`,
    `@esbuild/linux-${arch}/bin/esbuild`,
    'npm/package.json',
    'npm/bin',
    'npm/lib',
    'npm/node_modules',
  ]
  for (const path of modules) {
    const from = join(root, 'node_modules', path)
    if (!existsSync(from))
      fail(`node_modules/${path} is missing: images for this engine are built on a linux-${arch} machine`)
    mkdirSync(join(folder, 'node_modules', path, '..'), { recursive: true })
    cpSync(from, join(folder, 'node_modules', path), { recursive: true })
  }
  for (const script of ['health-check.sh', 'warm-up.sh'])
    copyFileSync(join(root, 'docker', script), join(folder, script))
  mkdirSync(join(folder, 'compile-cache'))
}

function defaultBase() {
  const works = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0
  if (works('docker', 'image', 'inspect', publicBase) || works('docker', 'pull', publicBase))
    return publicBase
  if (process.getuid?.() !== 0 || !works('mmdebstrap', '--version'))
    fail(
      `${publicBase} cannot be pulled. Name another base with Node 26 (--base), or install mmdebstrap and run this as root: it then makes one from Debian's mirror.`,
    )
  const made = 'longhouse-base:latest'
  console.error(`${publicBase} cannot be pulled; making ${made} from Debian's mirror …`)
  run(join(root, 'scripts/base-image.sh'), [made])
  return made
}

/** The engine's architecture in Node's words. */
function engineArch() {
  const { status, stdout, stderr, error } = spawnSync('docker', ['version', '--format', '{{.Server.Arch}}'])
  if (error) fail(`docker cannot be run: ${error.message}`)
  if (status !== 0) fail(`the Docker engine does not answer: ${stderr.toString().trim()}`)
  const arch = { amd64: 'x64', arm64: 'arm64' }[stdout.toString().trim()]
  return arch ?? fail(`images are built for amd64 and arm64; this engine is ${stdout.toString().trim()}`)
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (error) fail(`${program} cannot be run: ${error.message}`)
  if (status !== 0) fail(`${program} failed; its words are above`)
}

function fail(words) {
  console.error(words)
  process.exit(1)
}
