// `npm run images`: builds the images of both programs on the Docker engine that DOCKER_HOST names. The build context
// is assembled here from what `npm ci` and the build left, so that nothing is installed or compiled inside.
//   node docker/images.mjs [--tag <tag>] [--base <image with Node 26>]
// Each image is tagged with the package's version and `latest`, and with a tag that no other build has, the version and
// the beginning of the image's id; or with <tag> alone. Without --base or BASE_IMAGE it is
// the public one of the Dockerfiles, or one made from Debian's mirror where that cannot be pulled.
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildIfChanged } from '../scripts/build.mjs'
import { onOurNode, root, setUp } from '../scripts/setup.mjs'

const { values: options } = parseArgs({
  options: { base: { type: 'string', default: process.env.BASE_IMAGE }, tag: { type: 'string' } },
})
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tags = options.tag ? [options.tag] : [version, 'latest']

/** What belongs to one program of `dist/` alone; chunks, assets, the command and its package belong to both. */
const own = {
  'control-plane': ['control-plane.js', 'edge.js', 'edge-worker.js', 'restore.js', 'plugins'],
  runtime: [
    'runtime.js',
    'runtime.cjs',
    'late',
    'runner.cjs',
    'runner-program.cjs',
    'runner-code',
    'confine.cjs',
    'modules.cjs',
    'serving.cjs',
    'npm.cjs',
    'manifest-reader.js',
    'git.js',
    'history.js',
    'sync.js',
    'receive.js',
    'copy.js',
    'exec.cjs',
    'runtime',
    'sdk',
    'jobs-template',
    'starter',
  ],
}

const publicBase = 'node:26-bookworm-slim'

setUp()
await onOurNode()
if (!buildIfChanged()) process.exit(1)
const arch = engineArch()
const base = options.base ?? defaultBase()
const basePath = pathOf(base)
const context = mkdtempSync(join(tmpdir(), 'longhouse-images-'))
process.on('exit', () => rmSync(context, { recursive: true, force: true }))
assemble(context)
for (const program of Object.keys(own)) {
  console.error(`Building longhouse-${program} …`)
  run('docker', [
    'build',
    '--quiet',
    // Not every engine has a network of its own for builds.
    `--network=${hasPackages(base, program) ? 'none' : 'host'}`,
    '--build-arg',
    `BASE_IMAGE=${base}`,
    ...(basePath ? ['--build-arg', `BASE_PATH=${basePath}`] : []),
    '--build-arg',
    `VERSION=${version}`,
    ...tags.flatMap(tag => ['--tag', `longhouse-${program}:${tag}`]),
    '--file',
    join(root, 'docker', `${program}.dockerfile`),
    context,
  ])
  const unique = options.tag ? [] : [`${version}-${imageId(program).slice(0, 12)}`]
  for (const tag of unique)
    run('docker', ['tag', `longhouse-${program}:${tags[0]}`, `longhouse-${program}:${tag}`])
  const bill = writeBill(program, unique[0] ?? tags[0])
  console.error([...unique, ...tags].map(tag => `  longhouse-${program}:${tag}`).join('\n'))
  console.error(`  its bill of materials: ${bill}`)
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
  for (const program of Object.keys(own)) {
    const components = JSON.stringify(npmComponents(join(folder, program), program))
    writeFileSync(join(folder, `${program}-components.json`), components)
  }
  for (const script of [
    'debian-packages',
    'health-check.sh',
    'install.sh',
    'longhouse.sh',
    'sbom.mjs',
    'strip.sh',
    'warm-up.sh',
  ])
    copyFileSync(join(root, 'docker', script), join(folder, script))
  mkdirSync(join(folder, 'compile-cache'))
}

/** The npm packages in one image: those whose source is in its bundle, as the source maps tell, and those that are copied. */
function npmComponents(folder, program) {
  const maps = fs
    .globSync('**/*.{js,cjs,mjs}', { cwd: folder })
    .map(file => join(root, 'dist', `${file}.map`))
  const sources = maps.filter(existsSync).flatMap(map => JSON.parse(readFileSync(map, 'utf8')).sources)
  const bundled = sources.flatMap(
    source =>
      source.match(
        /node_modules\/.*node_modules\/(?:@[^/]+\/)?[^/]+|node_modules\/(?:@[^/]+\/)?[^/]+/,
      )?.[0] ?? [],
  )
  const copied = [
    'better-sqlite3',
    ...(program === 'runtime' ? ['esbuild', `@esbuild/linux-${arch}`, 'npm'] : []),
  ]
  const ofNpm =
    program === 'runtime' ? fs.globSync('node_modules/npm/node_modules/**/package.json', { cwd: root }) : []
  const folders = [
    ...bundled,
    ...copied.map(name => `node_modules/${name}`),
    ...ofNpm.map(file => file.slice(0, -'/package.json'.length)),
  ]
  const packages = new Map()
  for (const path of new Set(folders)) {
    const file = join(root, path, 'package.json')
    // A package's own source map may name a folder that is none of ours.
    if (!existsSync(file)) continue
    const { name, version, license } = JSON.parse(readFileSync(file, 'utf8'))
    // Parts of packages have package.json files of their own, without a version.
    if (!name || !version) continue
    const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
    const licenses = typeof license === 'string' ? { licenses: [{ expression: license }] } : {}
    packages.set(purl, { type: 'library', 'bom-ref': purl, name, version, ...licenses, purl })
  }
  return [...packages.values()].toSorted((one, other) => (one.purl < other.purl ? -1 : 1))
}

/** Takes the bill of materials out of an image that was built, and puts it beside it. */
function writeBill(program, tag) {
  const file = join(root, 'sbom', `longhouse-${program}-${tag}.cdx.json`)
  mkdirSync(join(root, 'sbom'), { recursive: true })
  const { status, stdout, stderr } = spawnSync(
    'docker',
    [
      'run',
      '--rm',
      '--network=none',
      '--entrypoint=cat',
      `longhouse-${program}:${tags[0]}`,
      '/app/sbom.cdx.json',
    ],
    { maxBuffer: 64 * 1024 ** 2 },
  )
  if (status !== 0) fail(`the bill of materials cannot be read: ${stderr}`)
  writeFileSync(file, stdout)
  return file
}

/** True when nothing is to be installed from Debian's mirror: the build then needs no network. */
function hasPackages(image, program) {
  const lines = readFileSync(join(root, 'docker/debian-packages'), 'utf8').split('\n')
  const [, ...packages] = lines.find(line => line.startsWith(`${program} `))?.split(' ') ?? []
  const query = ['run', '--rm', '--network=none', '--entrypoint=dpkg-query', image, '--show', ...packages]
  return spawnSync('docker', query).status === 0
}

/** Where a base looks for programs; it is lost with the base's own layers. */
function pathOf(image) {
  const inspect = () => spawnSync('docker', ['image', 'inspect', '--format', '{{json .Config.Env}}', image])
  if (inspect().status !== 0) run('docker', ['pull', image])
  const { status, stdout } = inspect()
  if (status !== 0) return null
  const path = (JSON.parse(stdout.toString()) ?? []).find(each => each.startsWith('PATH='))
  return path?.slice('PATH='.length) ?? null
}

/** The hexadecimal part of what was just built. */
function imageId(program) {
  const name = `longhouse-${program}:${tags[0]}`
  const { status, stdout } = spawnSync('docker', ['image', 'inspect', '--format', '{{.Id}}', name])
  return status === 0
    ? stdout
        .toString()
        .trim()
        .replace(/^sha256:/, '')
    : fail(`${name} was built and is not there`)
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
