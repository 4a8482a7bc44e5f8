import { type BigIntStats, type Dirent, lstatSync, readdirSync, readlinkSync } from 'node:fs'
import git from 'isomorphic-git'
import { readRegularLater } from '../../../src/storage/regular-file.ts'
import { isEnvironment } from '../environment-files.ts'
import { carefulFs as fs } from '../objects/careful-fs.ts'
import { isDotGit } from '../objects/git-names.ts'
import { type GitIndex, isUntouched } from '../objects/index-file.ts'
import { isPointerText, mayBePointer, usesLfs } from '../objects/lfs.ts'
import {
  blobId,
  type Entry,
  isExecutable,
  isFolder,
  isLink,
  isSubmodule,
  linkMode,
  type Objects,
  type TreeItem,
} from '../objects/objects.ts'
import { pathOf, placeOf } from '../objects/path-bytes.ts'
import { listEntries } from '../objects/tree-changes.ts'
import type { NotCommitted, NotFetched } from './left-out.ts'

/** A path whose file differs from HEAD. */
export interface FoundChange {
  path: string
  before: Entry | null
  /** The current entry, whose content is not yet among the objects; null if it is gone. */
  after: Entry | null
}

export interface Scan {
  changes: FoundChange[]
  notFetched: NotFetched[]
  notCommitted: NotCommitted[]
  /** Files found unchanged by reading them: the index may remember their new attributes. */
  reread: { path: string; found: BigIntStats; entry: Entry }[]
}

export interface ScanOptions {
  dir: string
  objects: Objects
  /** The tree of HEAD; null before the first commit. */
  tree: string | null
  index: GitIndex
}

/** Larger files are never committed. */
const largestFile = 256 * 1024 * 1024

/**
 * Compares the files with HEAD. Leaves out packages, which are installed, and submodules, which are not fetched.
 * Ignored files count only if HEAD contains them.
 */
export async function scanWorkTree({ dir, objects, tree, index }: ScanOptions): Promise<Scan> {
  const scan: Scan = { changes: [], notFetched: [], notCommitted: [], reread: [] }
  const indexed = new Map(index.entries.filter(({ stage }) => stage === 0).map(entry => [entry.path, entry]))
  const settings = await workTreeSettings(dir)
  const lfs = usesLfs(dir, [...indexed.keys()])
  const isIgnored = (path: string) => git.isIgnored({ fs, dir, filepath: path })

  const gone = async (item: TreeItem, path: string, besidesFile: boolean): Promise<void> => {
    const entries = isFolder(item)
      ? await listEntries(objects, item.oid, {
          prefix: `${path}/`,
          skip: name => name === 'node_modules' && !besidesFile,
        })
      : [[path, item] as [string, Entry]]
    for (const [each, entry] of entries) {
      if (!besidesFile && isSubmodule(entry)) scan.notFetched.push({ path: each, kind: 'submodule' })
      else if (besidesFile || !indexed.get(each)?.skipWorktree)
        scan.changes.push({ path: each, before: entry, after: null })
    }
  }

  const compare = async (path: string, item: TreeItem | undefined): Promise<void> => {
    const found = lstatSync(placeOf(dir, path), { bigint: true, throwIfNoEntry: false })
    if (!found || !(found.isFile() || found.isSymbolicLink())) return
    const known = indexed.get(path)
    const before = item ? { mode: item.mode, oid: item.oid } : null
    const untouched = known && isUntouched(known, found, index)
    const after = untouched ? known : await entryAt(dir, path, found, { before, ...settings })
    if (lfs && before && mayBePointer(found.size) && (await isPointer(dir, path))) {
      scan.notFetched.push({ path, kind: 'lfs' })
    }
    if (before && isSame(before, after)) {
      if (!untouched && known && isSame(known, after)) scan.reread.push({ path, found, entry: known })
      return
    }
    scan.changes.push({ path, before, after: { mode: after.mode, oid: after.oid } })
  }

  const walk = async (prefix: string, items: readonly TreeItem[]): Promise<void> => {
    const inHead = new Map(items.map(item => [item.name, item]))
    const here = new Map(namesIn(dir, prefix).map(entry => [pathOf(entry.name), entry]))
    for (const name of new Set([...inHead.keys(), ...here.keys()])) {
      const path = prefix + name
      const [item, entry] = [inHead.get(name), here.get(name)]
      if (name === 'node_modules') {
        if (item) scan.notFetched.push({ path, kind: 'packages' })
        continue
      }
      if (!item && isDotGit(name)) {
        if (name !== '.git') scan.notCommitted.push({ path, kind: 'name' })
        continue
      }
      if (!item && entry && !entry.isDirectory() && isEnvironment(name)) {
        if (!(await isIgnored(path))) scan.notCommitted.push({ path, kind: 'environment' })
        continue
      }
      if (!entry) {
        if (item && isSubmodule(item)) scan.notFetched.push({ path, kind: 'submodule' })
        else if (item) await gone(item, path, false)
      } else if (!entry.isDirectory()) {
        if (item && isFolder(item)) await gone(item, path, true)
        if (item || !(await isIgnored(path))) await compare(path, item && !isFolder(item) ? item : undefined)
      } else if (item && isSubmodule(item)) {
        if (namesIn(dir, `${path}/`).length === 0) scan.notFetched.push({ path, kind: 'submodule' })
      } else {
        if (item && !isFolder(item)) await gone(item, path, true)
        const folder = item && isFolder(item) ? item : null
        if (!folder && isRepository(dir, path)) {
          scan.notCommitted.push({ path, kind: 'repository' })
          continue
        }
        if (folder) await walk(`${path}/`, await objects.tree(folder.oid))
        else if (!(await isIgnored(path)) && !(await isIgnored(`${path}/`))) await walk(`${path}/`, [])
      }
    }
  }
  await walk('', await objects.tree(tree))
  return scan
}

type NamedEntry = Dirent<NonSharedBuffer>

function namesIn(dir: string, prefix: string): NamedEntry[] {
  try {
    return readdirSync(placeOf(dir, prefix), { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function isRepository(dir: string, path: string): boolean {
  return lstatSync(placeOf(dir, `${path}/.git`), { throwIfNoEntry: false }) !== undefined
}

export interface WorkTreeSettings {
  /** False if the file system has no executable bit. */
  fileMode: boolean
  /** Line ends are CRLF in the files, and LF in git. */
  autoCrlf: boolean
}

export async function workTreeSettings(dir: string): Promise<WorkTreeSettings> {
  const setting = (path: string): Promise<unknown> => git.getConfig({ fs, dir, path })
  const [fileMode, autoCrlf] = [await setting('core.filemode'), await setting('core.autocrlf')]
  return { fileMode: String(fileMode) !== 'false', autoCrlf: ['true', 'input'].includes(String(autoCrlf)) }
}

async function entryAt(
  dir: string,
  path: string,
  found: BigIntStats,
  { before, fileMode, autoCrlf }: WorkTreeSettings & { before: Entry | null },
): Promise<Entry> {
  const content = await contentAt(dir, path, { autoCrlf })
  if (found.isSymbolicLink()) return { mode: linkMode, oid: blobId(content) }
  const known = before && !isLink(before) && !isSubmodule(before) ? before : null
  const executable = fileMode ? (found.mode & 0o100n) !== 0n : known !== null && isExecutable(known)
  return { mode: executable ? '100755' : '100644', oid: blobId(content) }
}

/** The content of a file or a link as git stores it. */
export async function contentAt(
  dir: string,
  path: string,
  { autoCrlf }: Pick<WorkTreeSettings, 'autoCrlf'>,
): Promise<Uint8Array> {
  const place = placeOf(dir, path)
  if (lstatSync(place).isSymbolicLink()) return readlinkSync(place, 'buffer')
  const content = await readRegularLater(place, largestFile, { follow: false })
  if (!autoCrlf || content.includes(0)) return content
  return Buffer.from(content.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')
}

/** An old tree may have mode 664 instead of 644. */
function isSame(a: Entry, b: Entry): boolean {
  return (
    a.oid === b.oid &&
    isLink(a) === isLink(b) &&
    isSubmodule(a) === isSubmodule(b) &&
    isExecutable(a) === isExecutable(b)
  )
}

async function isPointer(dir: string, path: string): Promise<boolean> {
  return isPointerText(await contentAt(dir, path, { autoCrlf: false }).catch(() => Buffer.alloc(0)))
}
