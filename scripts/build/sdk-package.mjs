// The npm package `longhouse` that every instance serves: the types of `longhouse/jobs` and the command. Made with each
// build, as the tarball that npm would publish.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { root } from '../setup.mjs'

/** Puts `longhouse-<version>.tgz` into `<out>/npm/`, built as the `parts` of an instance are. The same sources give the same bytes. */
export async function buildSdkPackage(out, parts) {
  const folder = join(out, 'npm')
  const stage = join(folder, 'longhouse')
  mkdirSync(stage, { recursive: true })
  const packages = await bundle(stage, parts)
  for (const name of ['package.json', 'jobs.js', 'jobs.d.ts', 'text.d.ts'])
    cpSync(join(root, 'sdk', name), join(stage, 'sdk', name))
  // TypeScript tells by the ending what a file that is no ECMAScript module may import.
  cpSync(join(root, 'sdk/jobs.d.ts'), join(stage, 'sdk/jobs.d.cts'))
  cpSync(join(root, 'cli/launcher.cjs'), join(stage, 'bin/longhouse.cjs'))
  cpSync(join(root, 'cli/README.md'), join(stage, 'README.md'))
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'))
  writeFileSync(join(stage, 'THIRD-PARTY-LICENSES'), licensesOf(packages))
  writeFileSync(join(stage, 'package.json'), manifestWith(versionOf(stage)))
  await pack(stage, folder)
  rmSync(stage, { recursive: true })
}

/** Returns the folders of the packages that went into the bundles. */
async function bundle(stage, { programs, runnerPrograms, zodModule }) {
  const small = { minify: true, sourcemap: false, metafile: true }
  const built = await Promise.all([
    build({
      entryPoints: { longhouse: 'cli/main.ts', 'manifest-reader': 'runtime/manifest/manifest-reader.ts' },
      ...programs,
      ...small,
      outdir: stage,
    }),
    build({ ...runnerPrograms, ...small, outdir: stage }),
    build({ ...zodModule, ...small, outdir: stage }),
  ])
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  const folders = inputs.flatMap(file => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? [])
  return [...new Set(folders)].sort()
}

/** They are in the package, so their licenses are too. */
function licensesOf(folders) {
  return folders
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const file = readdirSync(join(root, folder)).find(each => /^licen[cs]e/i.test(each))
      const text = file ? readFileSync(join(root, folder, file), 'utf8').trim() : `License: ${license}`
      return `${name} ${version}\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/**
 * Names the content: two builds of one version that differ have different addresses, and a lockfile that names one of
 * them never gets the other.
 */
function versionOf(stage) {
  const hash = createHash('sha256').update(manifestWith(''))
  for (const file of filesBelow(stage)) {
    hash.update(`${relative(stage, file)}\n`).update(createHash('sha256').update(readFileSync(file)).digest())
  }
  const { version } = own()
  // With a letter in front: a number that begins with 0 is no part of a version.
  return `${version}-b${hash.digest('hex').slice(0, 10)}`
}

function manifestWith(version) {
  const { description, license, dependencies } = own()
  const manifest = {
    name: 'longhouse',
    version,
    description: `Types and command for the jobs of a Longhouse instance. ${description}`,
    license,
    type: 'module',
    bin: { longhouse: 'bin/longhouse.cjs' },
    exports: {
      './jobs': {
        import: { types: './sdk/jobs.d.ts', default: './sdk/jobs.js' },
        require: { types: './sdk/jobs.d.cts', default: './sdk/jobs.js' },
      },
      './package.json': './package.json',
    },
    engines: { node: '>=26' },
    // The types of Node are part of those of a job, whatever version of them a repo has.
    dependencies: { '@types/node': '*', esbuild: dependencies.esbuild },
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

function own() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

/** npm gives every file the same time, owner and rights. */
async function pack(stage, folder) {
  const npm = join(root, 'node_modules/npm/bin/npm-cli.js')
  if (!existsSync(npm)) throw new Error('node_modules/npm is missing: npm ci installs it')
  const args = [npm, 'pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder]
  await promisify(execFile)(process.execPath, args, { cwd: stage })
}
