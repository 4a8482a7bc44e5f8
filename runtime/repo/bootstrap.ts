import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { starterFiles } from '../git/starter-files.ts'

/**
 * Returns why the jobs repo's folder cannot be used; null if it can, or does not exist. A link is refused, so that
 * the instance writes only to its volume.
 */
export function jobsFolderFault(jobsDir: string): string | null {
  const found = lstatSync(jobsDir, { throwIfNoEntry: false })
  if (!found || found.isDirectory()) return null
  const kind = found.isSymbolicLink() ? 'a link' : 'no folder'
  return `"jobs" in the volume is ${kind}; move it away and put a folder there, or let a new one be made`
}

/**
 * Writes the starter files to an empty or missing folder, with a mark beside them until they are committed: edits
 * made meanwhile are not part of the first commit. `sdk` is what `starterFiles` takes. Returns false, and changes nothing, if the folder has files.
 */
export function bootstrapJobs(jobsDir: string, mark: string, sdk: string | null = null): boolean {
  const draft = `${mark}-files`
  const found = lstatSync(jobsDir, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) return false
  const wasKilled = existsSync(mark) && existsSync(draft)
  if (found && !wasKilled && readdirSync(jobsDir).length > 0) return false
  if (!wasKilled) {
    // Written beside it first: after a kill in between, half of the files would be taken for the customer’s own.
    rmSync(draft, { recursive: true, force: true })
    for (const [path, content] of starterFiles(sdk)) {
      mkdirSync(dirname(join(draft, path)), { recursive: true })
      writeFileSync(join(draft, path), content)
    }
    writeFileSync(mark, '')
  }
  mkdirSync(jobsDir, { recursive: true })
  for (const name of readdirSync(draft)) {
    if (!existsSync(join(jobsDir, name))) renameSync(join(draft, name), join(jobsDir, name))
  }
  rmSync(draft, { recursive: true, force: true })
  return true
}
