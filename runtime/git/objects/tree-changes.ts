import { isUnsafeName } from './git-names.ts'
import { type Entry, folderMode, isFolder, type Objects, type TreeItem } from './objects.ts'

/** The old and new entry of a path; null for none. */
export interface EntryChange {
  before: Entry | null
  after: Entry | null
}

/** A few objects can form an endless tree: each folder contains the same one ten times. */
export const treeBounds = { entries: 50_000, depth: 50 }

export function sameEntry(a: Entry | null | undefined, b: Entry | null | undefined): boolean {
  return a?.oid === b?.oid && a?.mode === b?.mode
}

/**
 * Returns the paths in which two trees differ, skipping equal folders. Throws if the second one contains a name that
 * no work tree may have, or if there are too many differences.
 */
export async function changedPaths(
  objects: Objects,
  from: string | null,
  to: string | null,
): Promise<Map<string, EntryChange>> {
  const changes = new Map<string, EntryChange>()
  const bounds = boundsOf()
  const leaves = async (item: TreeItem | undefined, path: string): Promise<[string, Entry][]> => {
    if (!item) return []
    if (!isFolder(item)) return [[path, entryOf(item)]]
    return listEntries(objects, item.oid, { prefix: `${path}/`, bounds })
  }
  const walk = async (a: string | null, b: string | null, prefix: string, depth: number): Promise<void> => {
    bounds.enter(prefix, depth)
    const [old, fresh] = [await objects.tree(a), await objects.tree(b)]
    const before = new Map(old.map(item => [item.name, item]))
    const after = namesOf(fresh, prefix, item => !sameEntry(before.get(item.name), item))
    for (const name of new Set([...before.keys(), ...after.keys()])) {
      const [was, is] = [before.get(name), after.get(name)]
      if (sameEntry(was, is)) continue
      bounds.count(1)
      const path = prefix + name
      if (was && is && isFolder(was) && isFolder(is)) {
        await walk(was.oid, is.oid, `${path}/`, depth + 1)
        continue
      }
      for (const [place, entry] of await leaves(was, path)) {
        changes.set(place, { before: entry, after: null })
      }
      for (const [place, entry] of await leaves(is, path)) {
        changes.set(place, { before: changes.get(place)?.before ?? null, after: entry })
      }
    }
  }
  if (from !== to) await walk(from, to, '', 1)
  return changes
}

/** Lists every file, link and submodule of a tree by path. `skip` names folders to leave out. */
export async function listEntries(
  objects: Objects,
  root: string | null,
  {
    prefix = '',
    skip = () => false,
    bounds = boundsOf(),
  }: { prefix?: string; skip?: (name: string) => boolean; bounds?: Bounds } = {},
): Promise<[string, Entry][]> {
  const found: [string, Entry][] = []
  const walk = async (tree: string | null, prefix: string): Promise<void> => {
    bounds.enter(prefix, prefix.split('/').length)
    const items = [...namesOf(await objects.tree(tree), prefix, () => true).values()]
    bounds.count(items.length)
    for (const item of items) {
      if (!isFolder(item)) found.push([prefix + item.name, entryOf(item)])
      else if (!skip(item.name)) await walk(item.oid, `${prefix}${item.name}/`)
    }
  }
  await walk(root, prefix)
  return found
}

interface Bounds {
  enter(prefix: string, depth: number): void
  count(entries: number): void
}

function boundsOf(): Bounds {
  let left = treeBounds.entries
  return {
    enter: (prefix, depth) => {
      if (depth <= treeBounds.depth) return
      throw new Error(
        `the commit has folders more than ${treeBounds.depth} deep, such as ${prefix.slice(0, 60)}…`,
      )
    },
    count: entries => {
      left -= entries
      if (left < 0) throw new Error(`the commit contains more than ${treeBounds.entries} files and folders`)
    },
  }
}

/** A name that is both a link and a folder would lead out of the work tree. */
function namesOf(
  items: readonly TreeItem[],
  prefix: string,
  isNew: (item: TreeItem) => boolean,
): Map<string, TreeItem> {
  const names = new Map<string, TreeItem>()
  for (const item of items) {
    if (names.has(item.name) || (isNew(item) && isUnsafeName(item.name)))
      throw new Error(`the commit contains a file called ${JSON.stringify(prefix + item.name)}`)
    names.set(item.name, item)
  }
  return names
}

const entryOf = ({ mode, oid }: TreeItem): Entry => ({ mode, oid })

/** Returns the entry at a path of a tree, folders included; null if there is none. */
export async function itemAt(objects: Objects, root: string | null, path: string): Promise<TreeItem | null> {
  let item: TreeItem | null = null
  let tree = root
  for (const name of path.split('/')) {
    if (tree === null) return null
    item = (await objects.tree(tree)).find(each => each.name === name) ?? null
    tree = item && isFolder(item) ? item.oid : null
    if (item === null) return null
  }
  return item
}

/**
 * Returns a tree that differs from `root` only in these paths; all other entries are unchanged byte for byte. Null
 * removes a path. A file replaces a whole folder. Returns null if nothing is left.
 */
export async function withChanges(
  objects: Objects,
  root: string | null,
  changes: ReadonlyMap<string, Entry | null>,
): Promise<string | null> {
  if (changes.size === 0) return root
  const here = new Map<string, Entry | null>()
  const below = new Map<string, Map<string, Entry | null>>()
  for (const [path, entry] of changes) {
    const slash = path.indexOf('/')
    if (slash < 0) {
      here.set(path, entry)
      continue
    }
    const name = path.slice(0, slash)
    const inside = below.get(name) ?? new Map<string, Entry | null>()
    below.set(name, inside.set(path.slice(slash + 1), entry))
  }
  const items = new Map((await objects.tree(root)).map(item => [item.name, item]))
  for (const name of new Set([...here.keys(), ...below.keys()])) {
    const old = items.get(name)
    const entry = here.get(name)
    const inside = below.get(name)
    const folder = old && isFolder(old) ? old.oid : null
    const tree = inside ? await withChanges(objects, folder, inside) : folder
    if (entry) items.set(name, { name, ...entry })
    else if (tree !== null) items.set(name, { name, mode: folderMode, oid: tree })
    else if (entry === null || folder !== null) items.delete(name)
  }
  return items.size === 0 ? null : objects.writeTree([...items.values()])
}
