// Installs what package-lock.json names, when it is not there yet or not the same. Runs on any Node from 18 on, so it
// uses nothing newer and imports nothing that would have to be installed.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lock = join(root, 'package-lock.json')
const installed = join(root, 'node_modules/.longhouse-lock.json')

export function setUp() {
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lock, 'utf8')) return
  console.error('Installing packages (npm ci) …')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (npm.status !== 0) {
    console.error('npm ci failed; its words are above. Nothing was started.')
    process.exit(1)
  }
  copyFileSync(lock, installed)
}

/** The Node that came with the packages, or this one where it is new enough and no package fits the machine. */
export function node() {
  const bundled = join(root, 'node_modules/.bin/node')
  if (existsSync(bundled)) return bundled
  if (Number(process.versions.node.split('.')[0]) >= 26) return process.execPath
  console.error(
    `Longhouse needs Node 26; npm has none for ${process.platform}-${process.arch}, and this is ${process.version}.`,
  )
  process.exit(1)
}

/** Runs the calling script again on the Node that came with the packages, when this one is older than the project's. */
export async function onOurNode() {
  if (Number(process.versions.node.split('.')[0]) >= 26) return
  process.exit(await endOf(spawn(node(), process.argv.slice(1), { stdio: 'inherit' })))
}

/**
 * The exit code of a child that is all that we are there for. A terminal sends Ctrl-C to the whole group, a supervisor
 * sends TERM to us alone: either way the child decides, and does not stay behind.
 */
export function endOf(child) {
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  return new Promise(resolve => {
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)))
    child.on('error', error => {
      console.error(error.message)
      resolve(1)
    })
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp()
