// Builds `dist/` when it was not made of exactly the sources that are there now. Runs on any Node from 18 on.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { node, root } from './setup.mjs'

const sources = [
  ...['src', 'control-plane', 'plugins', 'views', 'runtime', 'cli', 'sdk', 'jobs-template'],
  ...['esbuild.config.mjs', 'scripts/build', 'LICENSE', 'package.json', 'package-lock.json'],
]

const stamp = join(root, 'dist/.sources')

/** False when the build failed; then what was in `dist/` is still there. */
export function buildIfChanged() {
  // Taken before the build: what is saved while it runs is built the next time.
  const now = fingerprint()
  if (isBuilt(now)) return true
  const build = spawnSync(node(), [join(root, 'esbuild.config.mjs')], { stdio: ['ignore', 2, 2] })
  if (build.status !== 0) return false
  writeFileSync(stamp, now)
  return true
}

/** True when `dist/` is made of the sources as they are. */
export function isBuilt(now = fingerprint()) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === now
}

function fingerprint() {
  const hash = createHash('sha256')
  const add = path => {
    const stat = statSync(join(root, path))
    if (stat.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) add(join(path, name))
    else hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`)
  }
  for (const path of sources) if (existsSync(join(root, path))) add(path)
  return hash.digest('hex')
}
