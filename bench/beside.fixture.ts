import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** A built runtime that is measured. */
export interface Build {
  name: string
  program: string
}

/**
 * This build, and, when `BENCH_BESIDE` names a commit, the one of that commit: it is checked out and built in
 * `node_modules/.cache/bench/`. Both are measured in turns, so that they share what else the machine does.
 */
export function builds(): Build[] {
  const now = { name: 'now', program: join(root, 'dist/runtime.js') }
  const commit = process.env.BENCH_BESIDE
  if (!commit) return [now]
  const id = out('git', ['rev-parse', '--short=12', `${commit}^{commit}`], root)
  const tree = join(root, 'node_modules/.cache/bench', id)
  if (!existsSync(join(tree, 'dist/runtime.js'))) {
    rmSync(tree, { recursive: true, force: true })
    mkdirSync(tree, { recursive: true })
    const archive = join(tree, 'sources.tar')
    out('git', ['archive', '-o', archive, id], root)
    out('tar', ['-xf', archive], tree)
    rmSync(archive)
    // Not a link: what the programs may read is named by real paths.
    out('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], tree)
    out(process.execPath, ['esbuild.config.mjs'], tree)
  }
  return [now, { name: id, program: join(tree, 'dist/runtime.js') }]
}

function out(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}
