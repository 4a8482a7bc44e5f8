import { type Entry, isFolder, isLink, isSubmodule, type Objects } from '../objects/objects.ts'
import { changedPaths, type EntryChange, itemAt, listEntries, sameEntry } from '../objects/tree-changes.ts'
import type { ConflictFile, Side } from './sync-protocol.ts'
import { mergeText } from './three-way.ts'

export interface Merge {
  base: string | null
  ours: string
  theirs: string
  pick: Side | null
}

/**
 * Returns our tree with their changes, by path. A file that both sides changed is merged where the changes are
 * compatible. `pick` decides the other files; without it, they are returned in `conflicts`.
 */
export async function mergeChanges(
  objects: Objects,
  { base, ours, theirs, pick }: Merge,
): Promise<{ changes: Map<string, Entry | null>; conflicts: ConflictFile[] }> {
  const mine = await changedPaths(objects, base, ours)
  const other = await changedPaths(objects, base, theirs)
  const changes = new Map<string, Entry | null>()
  const conflicts: ConflictFile[] = []
  for (const [path, { before, after: t }] of other) {
    const own = mine.get(path)
    if (!own) {
      changes.set(path, t)
      continue
    }
    const o = own.after
    if (sameEntry(o, t)) continue
    const both = o && t ? await mergeEntry(objects, before, o, t) : null
    if (both) changes.set(path, both)
    else if (pick === 'theirs') changes.set(path, t)
    else if (pick === null) conflicts.push(await bothSides(objects, path, o, t))
  }
  await separate(objects, { ours, pick }, changes, conflicts, other)
  return { changes, conflicts }
}

/** A file where the other side has a folder of the same name: one of the two is dropped. */
async function separate(
  objects: Objects,
  { ours, pick }: Pick<Merge, 'ours' | 'pick'>,
  changes: Map<string, Entry | null>,
  conflicts: ConflictFile[],
  other: ReadonlyMap<string, EntryChange>,
): Promise<void> {
  for (const [path, entry] of [...changes]) {
    if (entry === null) continue
    const item = await itemAt(objects, ours, path)
    if (item && isFolder(item)) {
      const inside = await listEntries(objects, item.oid, { prefix: `${path}/` })
      const left = inside.filter(([each]) => changes.get(each) !== null)
      if (left.length === 0) continue
      if (pick === 'theirs') for (const [each] of left) changes.set(each, null)
      else changes.delete(path)
      if (pick === null) conflicts.push(await bothSides(objects, path, null, entry))
      continue
    }
    for (const above of parents(path)) {
      const file = await itemAt(objects, ours, above)
      if (!file || isFolder(file) || changes.get(above) === null) continue
      if (pick === 'theirs') changes.set(above, null)
      else changes.delete(path)
      const known = conflicts.some(each => each.path === above)
      if (pick === null && !known) {
        conflicts.push(await bothSides(objects, above, file, other.get(above)?.after ?? null))
      }
    }
  }
}

export function parents(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}

async function mergeEntry(objects: Objects, b: Entry | null, o: Entry, t: Entry): Promise<Entry | null> {
  if ([b, o, t].some(each => each && (isLink(each) || isSubmodule(each)))) return null
  const mode = o.mode === b?.mode ? t.mode : o.mode
  if (o.oid === t.oid || t.oid === b?.oid) return { oid: o.oid, mode }
  if (o.oid === b?.oid) return { oid: t.oid, mode }
  const [base, ours, theirs] = [
    b ? await textOf(objects, b) : '',
    await textOf(objects, o),
    await textOf(objects, t),
  ]
  if (base === null || ours === null || theirs === null) return null
  const merged = mergeText(base, ours, theirs)
  return merged === null ? null : { oid: objects.writeBlob(Buffer.from(merged)), mode }
}

/** Null for a file that is not UTF-8 text. */
async function textOf(objects: Objects, entry: Entry): Promise<string | null> {
  const blob = await objects.blob(entry.oid)
  if (blob.includes(0)) return null
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(blob)
  } catch {
    return null
  }
}

/** Both versions of a file in conflict, as shown to the person who decides. */
export async function bothSides(
  objects: Objects,
  path: string,
  ours: Entry | null,
  theirs: Entry | null,
): Promise<ConflictFile> {
  return { path, ours: await shownText(objects, ours), theirs: await shownText(objects, theirs) }
}

const shownCharacters = 20_000

async function shownText(objects: Objects, entry: Entry | null): Promise<string | null> {
  if (!entry || isSubmodule(entry)) return null
  return (await textOf(objects, entry))?.slice(0, shownCharacters) ?? null
}
