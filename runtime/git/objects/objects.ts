import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import git, { type CommitObject } from 'isomorphic-git'
import { carefulFs as fs } from './careful-fs.ts'
import { bytesOf, pathOf } from './path-bytes.ts'

/** An entry of a tree. The mode is as written there: an old repo may contain `100664`. */
export interface TreeItem {
  name: string
  mode: string
  oid: string
}

/** A file, a link or a submodule. */
export type Entry = Pick<TreeItem, 'mode' | 'oid'>

export const folderMode = '40000'
const submoduleMode = '160000'
export const linkMode = '120000'

export const isFolder = ({ mode }: Pick<Entry, 'mode'>) => Number.parseInt(mode, 8) === 0o40000
export const isSubmodule = ({ mode }: Pick<Entry, 'mode'>) => mode === submoduleMode
export const isLink = ({ mode }: Pick<Entry, 'mode'>) => mode === linkMode
export const isExecutable = ({ mode }: Pick<Entry, 'mode'>) =>
  (Number.parseInt(mode, 8) & 0o170100) === 0o100100

/** The objects of a repo. Caches what it reads, so open one per task. */
export interface Objects {
  tree(oid: string | null): Promise<readonly TreeItem[]>
  blob(oid: string): Promise<Uint8Array>
  commit(oid: string): Promise<CommitObject>
  /** Returns the tree of a commit; null for no commit. */
  treeOf(commit: string | null): Promise<string | null>
  writeTree(items: readonly TreeItem[]): string
  writeBlob(content: Uint8Array): string
}

export function openObjects(dir: string): Objects {
  const cache = {}
  const trees = new Map<string, readonly TreeItem[]>()
  const commits = new Map<string, CommitObject>()
  const commit = async (oid: string) => {
    const read = commits.get(oid) ?? (await git.readCommit({ fs, dir, oid, cache })).commit
    commits.set(oid, read)
    return read
  }
  return {
    tree: async oid => {
      if (oid === null) return []
      const known = trees.get(oid)
      if (known) return known
      const { object, type } = await git.readObject({ fs, dir, oid, cache, format: 'content' })
      if (type !== 'tree') throw new Error(`the object ${oid} is a ${type}, where a folder should be`)
      const items = parseTree(object as Uint8Array)
      trees.set(oid, items)
      return items
    },
    blob: async oid => (await git.readBlob({ fs, dir, oid, cache })).blob,
    commit,
    treeOf: async oid => (oid === null ? null : (await commit(oid)).tree),
    writeTree: items => writeObject(dir, 'tree', formatTree(items)),
    writeBlob: content => writeObject(dir, 'blob', content),
  }
}

function parseTree(bytes: Uint8Array): TreeItem[] {
  const items: TreeItem[] = []
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at)
    const end = buffer.indexOf(0, space)
    if (space < 0 || end < 0 || end + 21 > buffer.length) throw new Error('a folder of the repo is damaged')
    items.push({
      mode: buffer.toString('latin1', at, space),
      name: pathOf(buffer.subarray(space + 1, end)),
      oid: buffer.toString('hex', end + 1, end + 21),
    })
    at = end + 21
  }
  return items
}

function formatTree(items: readonly TreeItem[]): Buffer {
  return Buffer.concat(
    items
      .map(item => ({ item, key: bytesOf(isFolder(item) ? `${item.name}/` : item.name) }))
      // Git sorts a folder as if its name ended with a slash.
      .sort((a, b) => Buffer.compare(a.key, b.key))
      .map(({ item: { mode, name, oid } }) =>
        Buffer.concat([Buffer.from(`${mode} `), bytesOf(name), Buffer.from([0]), Buffer.from(oid, 'hex')]),
      ),
  )
}

function framed(type: 'blob' | 'tree', content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${type} ${content.byteLength}\0`), content])
}

/** Returns git's id for this content. */
export function blobId(content: Uint8Array): string {
  return createHash('sha1').update(framed('blob', content)).digest('hex')
}

/** Writes completely or not at all, even if killed: a partial file would be read as the object ever after. */
function writeObject(dir: string, type: 'blob' | 'tree', content: Uint8Array): string {
  const object = framed(type, content)
  const oid = createHash('sha1').update(object).digest('hex')
  const file = join(dir, '.git/objects', oid.slice(0, 2), oid.slice(2))
  if (existsSync(file)) return oid
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${randomUUID().slice(0, 8)}.tmp`
  try {
    writeFileSync(draft, deflateSync(object), { flag: 'wx', mode: 0o444 })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  return oid
}
