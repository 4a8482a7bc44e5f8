import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Logger } from '../../src/log.ts'
import { programRoot } from '../../src/root.ts'
import { readRegular } from '../regular-file.ts'
import { starterFiles } from './starter-files.ts'

/**
 * Why the jobs repo's folder cannot be used, in words; null when it can, or is not there. A link is refused: what the
 * instance writes stays in its volume.
 */
export function jobsFolderFault(jobsDir: string): string | null {
  const found = lstatSync(jobsDir, { throwIfNoEntry: false })
  if (!found || found.isDirectory()) return null
  const kind = found.isSymbolicLink() ? 'a link' : 'no folder'
  return `"jobs" in the volume is ${kind}; move it away and put a folder there, or let a new one be made`
}

/**
 * Puts the starter files where there is nothing at all, and a mark beside them until they are committed: what is edited
 * meanwhile is no part of the first commit. Returns false, and touches nothing, where there is something.
 */
export function bootstrapJobs(jobsDir: string, mark: string): boolean {
  const draft = `${mark}-files`
  const found = lstatSync(jobsDir, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) return false
  const wasKilled = existsSync(mark) && existsSync(draft)
  if (found && !wasKilled && readdirSync(jobsDir).length > 0) return false
  if (!wasKilled) {
    // Beside it first: killed in between, half of the files would be taken for somebody's own.
    rmSync(draft, { recursive: true, force: true })
    for (const [path, content] of starterFiles()) {
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

const sdkFiles = ['package.json', 'jobs.js', 'jobs.d.ts']

/**
 * Puts `longhouse/jobs` where editors and tests find it, and keeps it up to date. A package of that name that is not
 * ours is left alone, and so is what only a link leads to. What goes wrong is logged: jobs have the build's own.
 */
export function offerSdk(jobsDir: string, log: Logger): void {
  try {
    installSdk(jobsDir)
  } catch (error) {
    log.warn({ err: error }, 'the types of longhouse/jobs could not be put into the jobs repo')
  }
}

export function installSdk(jobsDir: string): void {
  const from = programRoot('runtime/sdk')
  const modules = join(jobsDir, 'node_modules')
  const to = join(modules, 'longhouse')
  if (!isFolder(jobsDir) || !isFolderOrFree(modules) || !isFolderOrFree(to)) return
  if (isFolder(to) && !isOurs(to)) return
  for (const name of sdkFiles) {
    const content = readFileSync(join(from, name))
    const file = join(to, name)
    const there = lstatSync(file, { throwIfNoEntry: false })
    if (there && !there.isFile()) continue
    if (there && readRegular(file, content.length)?.equals(content)) continue
    mkdirSync(to, { recursive: true })
    writeFileSync(file, content)
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isFolderOrFree(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? true
}

function isOurs(dir: string): boolean {
  if (readdirSync(dir).length === 0) return true
  try {
    const text = readRegular(join(dir, 'package.json'), 64 * 1024)?.toString('utf8') ?? ''
    const found = JSON.parse(text) as { description?: unknown }
    return String(found.description).includes('Put here by Longhouse')
  } catch {
    return false
  }
}
