import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from './arguments.ts'

/** A failed command, with its reason: exit code 1. */
export class CommandError extends Error {}

/**
 * Finds the jobs repo: the folder of `--dir`, otherwise the current folder or the nearest one above it with a
 * manifest. Absolute, without links.
 */
export function findJobsFolder(named: string | undefined, workingDir: string): string {
  if (named !== undefined) {
    const dir = resolve(workingDir, named)
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UsageError(`--dir: there is no folder "${named}"`)
    }
    if (hasManifest(dir)) return realpathSync(dir)
    throw new CommandError(`there is no manifest.ts in "${named}"; it registers the jobs of a jobs repo`)
  }
  for (let dir = workingDir; ; dir = dirname(dir)) {
    if (hasManifest(dir)) return realpathSync(dir)
    if (dir === dirname(dir) || existsSync(join(dir, '.git'))) break
  }
  throw new CommandError(
    'there is no manifest.ts here or in a folder above; go to a jobs repo, or pass one with --dir <folder>',
  )
}

function hasManifest(dir: string): boolean {
  return existsSync(join(dir, 'manifest.ts'))
}
