// `npm run images`: builds the images of both programs on the Docker engine that DOCKER_HOST names. The build context
// is assembled here from what `npm ci` and the build left, so that nothing is installed or compiled inside.
//   node docker/images.mjs [--tag <tag>] [--base <image with Node 26>]
// Each image is tagged with the package's version and `latest`, or with <tag> alone.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { node, root, setUp } from '../scripts/setup.mjs'

const { values: options } = parseArgs({
  options: { base: { type: 'string', default: process.env.BASE_IMAGE }, tag: { type: 'string' } },
})
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tags = options.tag ? [options.tag] : [version, 'latest']

/** What belongs to one program of `dist/` alone; chunks and assets belong to both. */
const own = {
  'control-plane': ['control-plane.js', 'plugins'],
  runtime: ['runtime.js', 'runner.js', 'manifest-reader.js', 'git.js', 'runtime', 'jobs-template'],
}

setUp()
run(node(), [join(root, 'esbuild.config.mjs')])
const context = mkdtempSync(join(tmpdir(), 'longhouse-images-'))
process.on('exit', () => rmSync(context, { recursive: true, force: true }))
assemble(context, engineArch())
for (const program of Object.keys(own)) {
  console.error(`Building longhouse-${program} …`)
  run('docker', [
    'build',
    '--quiet',
    '--network=none',
    ...(options.base ? ['--build-arg', `BASE_IMAGE=${options.base}`] : []),
    ...tags.flatMap(tag => ['--tag', `longhouse-${program}:${tag}`]),
    '--file',
    join(root, 'docker', `${program}.dockerfile`),
    context,
  ])
  console.error(tags.map(tag => `  longhouse-${program}:${tag}`).join('\n'))
}

/** Both programs, each with the few packages that cannot be bundled, cut down to what runs on Linux of one kind. */
function assemble(folder, arch) {
  const dist = join(root, 'dist')
  for (const [program, files] of Object.entries(own)) {
    const others = Object.entries(own).flatMap(([name, names]) => (name === program ? [] : names))
    if (!existsSync(join(dist, files[0]))) fail(`the build made no dist/${files[0]}`)
    cpSync(dist, join(folder, program), {
      recursive: true,
      filter: path => !path.endsWith('.map') && !others.some(name => path === join(dist, name)),
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
  if (status !== 0) fail(`${program} ${args[0]} failed; its words are above`)
}

function fail(words) {
  console.error(words)
  process.exit(1)
}
