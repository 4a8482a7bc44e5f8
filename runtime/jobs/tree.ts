import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What the jobs repo looks like, without its contents: enough to tell that something changed. */
export interface Tree {
  /** Of every file, relative path to a stamp that changes with it. */
  files: ReadonlyMap<string, string>
  /** Every folder, absolute, the repo's own first. */
  folders: readonly string[]
  /** Of all of it together. */
  stamp: string
}

const skipped = new Set(['.git', 'node_modules'])

/** Package managers write one of these when they are done; what lies beside them is too much to look at. */
const installMarks = ['.package-lock.json', '.modules.yaml', '.yarn-state.yml', '.yarn-integrity']

export async function scanTree(dir: string): Promise<Tree> {
  const files = new Map<string, string>()
  const folders: string[] = []
  const walk = async (folder: string, prefix: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [] as Dirent[])
    folders.push(folder)
    await Promise.all(
      entries.map(async entry => {
        if (skipped.has(entry.name)) return
        const path = join(folder, entry.name)
        if (entry.isDirectory()) return walk(path, `${prefix}${entry.name}/`)
        const stamp = await stampOf(path)
        if (stamp) files.set(prefix + entry.name, stamp)
      }),
    )
  }
  await walk(dir, '')
  for (const name of installMarks) {
    const stamp = await stampOf(join(dir, 'node_modules', name))
    if (stamp) files.set(`node_modules/${name}`, stamp)
  }
  const hash = createHash('sha256')
  for (const file of [...files.keys()].sort()) hash.update(`${file}\0${files.get(file)}\0`)
  return { files, folders, stamp: hash.digest('hex') }
}

async function stampOf(path: string): Promise<string | null> {
  try {
    const found = await stat(path, { bigint: true })
    return [found.size, found.mtimeNs, found.ctimeNs, found.ino].join(' ')
  } catch {
    return null // gone since its folder was read, or a link to nowhere
  }
}

const code = /\.([cm]?[jt]sx?|json|css)$/
const settings = /(^|\/)((package|package-lock|npm-shrinkwrap|tsconfig[^/]*)\.json|\.npmrc)$/

/**
 * True when a change may make another program of the same manifest: of a file that was compiled, of one that could be
 * found in its place, of packages or of the compiler's settings. What else changes is data.
 */
export function touchesCode(before: Tree, after: Tree, compiled: ReadonlySet<string>): boolean {
  const names = new Set([...before.files.keys(), ...after.files.keys()])
  return [...names].some(file => {
    if (before.files.get(file) === after.files.get(file)) return false
    if (compiled.has(file) || settings.test(file) || file.startsWith('node_modules/')) return true
    return code.test(file) && before.files.has(file) !== after.files.has(file)
  })
}
