// `node scripts/release.mjs <version> [--without-images]`: makes a release in this clone and pushes nothing.
//   1. refuses unless `main` is checked out, nothing is uncommitted, the version is newer, and the changelog has news
//   2. moves "Unreleased" in CHANGELOG.md to the version and today's date, and sets the version in package.json
//   3. commits and tags
//   4. builds both images with their unique tags, and their bills of materials
// Whatever fails before the commit leaves the clone as it was.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './setup.mjs'

const semantic = /^(\d+)\.(\d+)\.(\d+)$/

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'without-images': { type: 'boolean', default: false } },
})
const [version = ''] = positionals
const files = {
  changelog: join(root, 'CHANGELOG.md'),
  manifest: join(root, 'package.json'),
  lock: join(root, 'package-lock.json'),
}
const before = Object.fromEntries(
  Object.entries(files).map(([name, file]) => [name, readFileSync(file, 'utf8')]),
)
const current = JSON.parse(before.manifest).version

const faults = findFaults()
if (faults.length > 0) {
  process.stderr.write(
    `Cannot release:\n${faults.map(fault => `  ${fault}\n`).join('')}Nothing was changed.\n`,
  )
  process.exit(1)
}

const today = new Date().toISOString().slice(0, 10)
const news = released(before.changelog)
writeFileSync(files.changelog, news)
for (const name of ['manifest', 'lock']) writeFileSync(files[name], withVersion(before[name], name))
if (!tryGit('commit', '--quiet', '--all', '--message', `Release ${version}`)) {
  for (const [name, file] of Object.entries(files)) writeFileSync(file, before[name])
  process.stderr.write('git could not commit. Nothing was changed.\n')
  process.exit(1)
}
git('tag', '--annotate', `v${version}`, '--message', `Longhouse ${version}`)
process.stdout.write(`Committed and tagged v${version}.\n`)

if (!options['without-images']) {
  const built = spawnSync(process.execPath, [join(root, 'docker/images.mjs')], { stdio: 'inherit' })
  if (built.status !== 0) {
    process.stderr.write(
      `The images were not built. The tag stays; run npm run images once the cause is fixed.\n`,
    )
    process.exit(1)
  }
}
process.stdout.write(`
To publish it:
  git push origin main v${version}
  docker push …    the images that are named above, to your registry
`)

function findFaults() {
  const found = []
  const parts = semantic.exec(version)
  if (!parts) found.push(`the version must be three numbers such as 1.4.0, not "${version}"`)
  else if (!isNewer(parts, semantic.exec(current))) found.push(`the version must be newer than ${current}`)
  if (git('rev-parse', '--abbrev-ref', 'HEAD') !== 'main') found.push('check out main first')
  if (git('status', '--porcelain') !== '') found.push('commit or stash your changes first')
  if (git('tag', '--list', `v${version}`) !== '') found.push(`the tag v${version} exists`)
  if (unreleased(before.changelog).trim() === '')
    found.push('CHANGELOG.md says nothing under "Unreleased": write what changed for the people who use it')
  return found
}

function isNewer(wanted, existing) {
  for (const place of [1, 2, 3]) {
    const difference = Number(wanted[place]) - Number(existing?.[place] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

/** What stands under "Unreleased". */
function unreleased(changelog) {
  return /^## Unreleased\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog)?.[1] ?? ''
}

/** The changelog with the news under the version, and an empty "Unreleased" above. */
function released(changelog) {
  return changelog.replace(/^## Unreleased\n/m, `## Unreleased\n\n## ${version} - ${today}\n`)
}

function withVersion(text, name) {
  const json = JSON.parse(text)
  json.version = version
  if (name === 'lock') json.packages[''].version = version
  return `${JSON.stringify(json, null, 2)}\n`
}

function tryGit(...args) {
  return spawnSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}

function git(...args) {
  const done = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`git ${args[0]}: ${done.stderr}`)
  return done.stdout.trim()
}
