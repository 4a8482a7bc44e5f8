import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchFolder } from '../../isolation/reach.ts'

/** A snapshot of the jobs repo without contents: enough to tell that something changed. */
export interface Tree {
  /** Each file's relative path, with a stamp that changes when the file does. */
  files: ReadonlyMap<string, string>
  /** Every folder as an absolute path, the repo's own first. */
  folders: readonly string[]
  /** A stamp of all files together. */
  stamp: string
}

const skipped = new Set(['.git', 'node_modules'])

/** Package managers write one of these files when they are done. The packages themselves are too many to scan. */
const installMarks = ['.package-lock.json', '.modules.yaml', '.yarn-state.yml', '.yarn-integrity']

/**
 * The limits of one scan. What lies beyond them goes unseen, so that a job which keeps much data beside its code does
 * not make scans slow.
 */
const most = { entries: 200_000, codeFiles: 20_000, otherFiles: 10_000, folders: 2000 }

/** How many files are asked for at the same time. */
const atOnce = 64

export async function scanTree(dir: string): Promise<Tree> {
  const files = new Map<string, string>()
  const folders: string[] = []
  const left = { ...most }
  // Breadth first, so that the limits leave out what lies deepest.
  const waiting = isFolder(dir) ? [''] : []
  for (let prefix = waiting.shift(); prefix !== undefined && folders.length < most.folders; ) {
    const folder = join(dir, prefix)
    folders.push(folder)
    const found = await namesIn(folder, left)
    for (const name of found.folders) if (waiting.length < most.folders) waiting.push(`${prefix}${name}/`)
    for (let from = 0; from < found.files.length; from += atOnce) {
      const names = found.files.slice(from, from + atOnce)
      const stamps = await Promise.all(names.map(name => stampOf(join(folder, name))))
      for (const [index, name] of names.entries()) {
        const stamp = stamps[index]
        if (stamp) files.set(prefix + name, stamp)
      }
    }
    prefix = waiting.shift()
  }
  for (const name of installMarks) {
    const stamp = await stampOf(join(dir, 'node_modules', name))
    if (stamp) files.set(`node_modules/${name}`, stamp)
  }
  const hash = createHash('sha256')
  for (const file of [...files.keys()].sort()) hash.update(`${file}\0${files.get(file)}\0`)
  return { files, folders, stamp: hash.digest('hex') }
}

async function namesIn(folder: string, left: typeof most): Promise<{ files: string[]; folders: string[] }> {
  const found: { files: string[]; folders: string[] } = { files: [], folders: [] }
  try {
    for await (const entry of await opendir(folder, { bufferSize: 512 })) {
      if (--left.entries < 0) break
      if (skipped.has(entry.name)) continue
      if (entry.isDirectory()) found.folders.push(entry.name)
      else if (isCode(entry.name) ? left.codeFiles-- > 0 : left.otherFiles-- > 0) found.files.push(entry.name)
    }
  } catch {
    // Deleted since the folder above it was read, or not readable.
  }
  return found
}

/** Links are not followed: writing through one would leave the volume. */
function isFolder(dir: string): boolean {
  return lstatSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false
}

async function stampOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path, { bigint: true })
    return [found.size, found.mtimeNs, found.ctimeNs, found.ino].join(' ')
  } catch {
    return null // deleted since its folder was read, or a dangling link
  }
}

/** Whether a file is code that authors write, and not data that jobs keep. */
export const isScript = (name: string) => /\.[cm]?[jt]sx?$/.test(name)

const code = /\.([cm]?[jt]sx?|json|css)$/
const settings = /(^|\/)((package|package-lock|npm-shrinkwrap|tsconfig[^/]*)\.json|\.npmrc)$/
const isCode = (name: string) => code.test(name) || settings.test(name)

/**
 * Whether a change may change the jobs. Jobs can write only to `data`. Any other change is the work of a person, and the
 * manifest may have read the file.
 */
export function touchesCode(before: Tree, after: Tree, compiled: ReadonlySet<string>): boolean {
  const names = new Set([...before.files.keys(), ...after.files.keys()])
  return [...names].some(file => {
    if (before.files.get(file) === after.files.get(file)) return false
    return compiled.has(file) || !file.startsWith(`${scratchFolder}/`)
  })
}
