import git, { type ReadTreeResult } from 'isomorphic-git'
import { atomicFs as fs } from './atomic-fs.ts'
import type { ConflictFile, Side } from './protocol.ts'
import { mergeText } from './three-way.ts'

/** One file of a commit. */
export interface Entry {
  oid: string
  mode: string
}

/** Every file of a commit by its path. */
export type Files = ReadonlyMap<string, Entry>

const folder = '040000'
const submodule = '160000'
const link = '120000'
const emptyFiles: Files = new Map()

/** A few objects can make a tree without end: each folder holds the same one, ten times. */
export const treeBounds = { entries: 50_000, depth: 50 }

/** Throws when the commit names a file that no work tree may hold, or more than one can be looked at. */
export async function readFiles(dir: string, commit: string | null): Promise<Files> {
  if (commit === null) return emptyFiles
  const files = new Map<string, Entry>()
  const known = new Map<string, Pick<ReadTreeResult, 'tree'>>()
  let left = treeBounds.entries
  const walk = async (oid: string, prefix: string, depth: number): Promise<void> => {
    if (depth > treeBounds.depth)
      throw new Error(
        `the commit has folders more than ${treeBounds.depth} deep, such as ${prefix.slice(0, 60)}…`,
      )
    const { tree } = known.get(oid) ?? (await git.readTree({ fs, dir, oid }))
    known.set(oid, { tree })
    left -= tree.length
    if (left < 0) throw new Error(`the commit holds more than ${treeBounds.entries} files and folders`)
    const seen = new Set<string>()
    for (const { path, mode, oid, type } of tree) {
      const twice = seen.has(path)
      seen.add(path)
      // A name that stands for a link and for a folder at once would lead out of the work tree.
      if (isUnsafe(path) || twice)
        throw new Error(`the commit holds a file called ${JSON.stringify(prefix + path)}`)
      if (type === 'tree') await walk(oid, `${prefix}${path}/`, depth + 1)
      else files.set(prefix + path, { oid, mode })
    }
  }
  await walk(commit, '', 1)
  return files
}

/** What would reach out of the work tree, or into git's own files, on this system or another. */
function isUnsafe(name: string): boolean {
  return (
    name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name) || /^\.git\.* *$|^git~\d/i.test(name)
  )
}

export async function writeFiles(dir: string, files: Files): Promise<string> {
  const here: { path: string; mode: string; oid: string; type: 'blob' | 'tree' | 'commit' }[] = []
  const below = new Map<string, Map<string, Entry>>()
  for (const [path, entry] of files) {
    const slash = path.indexOf('/')
    if (slash < 0) here.push({ path, ...entry, type: entry.mode === submodule ? 'commit' : 'blob' })
    else {
      const name = path.slice(0, slash)
      const inside = below.get(name) ?? new Map<string, Entry>()
      below.set(name, inside.set(path.slice(slash + 1), entry))
    }
  }
  for (const [path, inside] of below) {
    here.push({ path, mode: folder, oid: await writeFiles(dir, inside), type: 'tree' })
  }
  return git.writeTree({ fs, dir, tree: here })
}

export function sameEntry(a: Entry | undefined, b: Entry | undefined): boolean {
  return a?.oid === b?.oid && a?.mode === b?.mode
}

/** Both sides' changes together, and the files for which that cannot be; `pick` decides about those. */
export async function mergeFiles(
  dir: string,
  { base, ours, theirs, pick }: { base: Files; ours: Files; theirs: Files; pick: Side | null },
): Promise<{ files: Files; conflicts: ConflictFile[] }> {
  const merged = new Map<string, Entry>()
  const conflicts: ConflictFile[] = []
  const clash = async (path: string, o: Entry | undefined, t: Entry | undefined) => {
    const side = pick === 'theirs' ? t : o
    if (side) merged.set(path, side)
    else merged.delete(path)
    if (pick === null) conflicts.push(await bothSides(dir, path, o, t))
  }
  for (const path of new Set([...ours.keys(), ...theirs.keys()])) {
    const [b, o, t] = [base.get(path), ours.get(path), theirs.get(path)]
    if (sameEntry(o, t) || sameEntry(t, b)) {
      if (o) merged.set(path, o)
    } else if (sameEntry(o, b)) {
      if (t) merged.set(path, t)
    } else {
      const both = o && t ? await mergeEntry(dir, b, o, t) : null
      if (both) merged.set(path, both)
      else await clash(path, o, t)
    }
  }
  // A file where the other side has a folder of that name.
  for (const path of [...merged.keys()]) {
    const above = parents(path).find(each => merged.has(each))
    if (!above) continue
    const [o, t] = [ours.get(above), theirs.get(above)]
    if ((pick === 'theirs' ? t : o) !== undefined) merged.delete(path)
    else merged.delete(above)
    if (pick === null) conflicts.push(await bothSides(dir, above, o, t))
  }
  return { files: merged, conflicts }
}

export function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

async function mergeEntry(dir: string, b: Entry | undefined, o: Entry, t: Entry): Promise<Entry | null> {
  if ([b, o, t].some(each => each?.mode === link || each?.mode === submodule)) return null
  const mode = o.mode === b?.mode ? t.mode : o.mode
  if (o.oid === t.oid || t.oid === b?.oid) return { oid: o.oid, mode }
  if (o.oid === b?.oid) return { oid: t.oid, mode }
  const [base, ours, theirs] = [b ? await textOf(dir, b) : '', await textOf(dir, o), await textOf(dir, t)]
  if (base === null || ours === null || theirs === null) return null
  const merged = mergeText(base, ours, theirs)
  return merged === null ? null : { oid: await git.writeBlob({ fs, dir, blob: Buffer.from(merged) }), mode }
}

/** Null for what is no UTF-8 text. */
async function textOf(dir: string, entry: Entry): Promise<string | null> {
  const { blob } = await git.readBlob({ fs, dir, oid: entry.oid })
  if (blob.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(blob)
  } catch {
    return null
  }
}

/** A file as a person is shown it who has to choose. */
export async function bothSides(
  dir: string,
  path: string,
  ours: Entry | undefined,
  theirs: Entry | undefined,
): Promise<ConflictFile> {
  return { path, ours: await shownText(dir, ours), theirs: await shownText(dir, theirs) }
}

const shownCharacters = 20_000

async function shownText(dir: string, entry: Entry | undefined): Promise<string | null> {
  if (!entry || entry.mode === submodule) return null
  return (await textOf(dir, entry))?.slice(0, shownCharacters) ?? null
}
