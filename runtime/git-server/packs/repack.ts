import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { obsoleteMark, packFolder } from '../../git/objects/obsolete-packs.ts'
import { moveObjects } from './move-objects.ts'
import { chooseObjects, idsInPack, looseFile, type PackLimits, storedPacks } from './stored-objects.ts'

/** Runs git in a repository of ours that sees the objects of the jobs repo; throws with its words. */
type Git = (args: readonly string[], options: { repo: string; input: string }) => Promise<Buffer | null>

/**
 * Puts many small packs and single objects together, while others read and write:
 *
 * 1. git writes one pack with all their objects, whether a branch has them or not, beside the jobs repo.
 * 2. The pack is moved into the jobs repo, its index last, and flushed to disk.
 * 3. The packs that it stands for are marked, and found no longer; `dropObsolete` deletes them when no reader can have them open.
 * 4. The single objects are deleted. Readers look for those first, and then in the packs.
 *
 * Killed after any step, the repo is whole, and the next round does the rest. Returns how many packs were put together.
 */
export async function repack(
  dir: string,
  { repo, limits, git }: { repo: string; limits: PackLimits; git: Git },
): Promise<number> {
  const { packs, loose } = chooseObjects(dir, limits)
  if (packs.length + loose.length === 0) return 0
  const ids = new Set([...packs.flatMap(name => idsInPack(dir, name)), ...loose])
  const place = join(repo, 'objects/pack/pack')
  const args = ['pack-objects', '--quiet', '--delta-base-offset', place]
  const written = await git(args, { repo, input: [...ids].map(id => `${id}\n`).join('') })
  // One of them may have had all the objects: then it is the new pack.
  const others = new Set(packs.filter(name => name !== `pack-${String(written).trim()}`))
  moveObjects(join(repo, 'objects'), join(dir, '.git/objects'))
  flushFolder(join(dir, packFolder))
  const kept = new Set(
    storedPacks(dir)
      .current.filter(name => !others.has(name))
      .flatMap(name => idsInPack(dir, name)),
  )
  for (const name of others)
    if (idsInPack(dir, name).every(id => kept.has(id)))
      writeFileSync(join(dir, packFolder, name + obsoleteMark), '')
  for (const id of loose) if (kept.has(id)) rmSync(looseFile(dir, id), { force: true })
  return others.size
}

/** Deletes marked packs, unless an object of one is nowhere else. The mark goes last: if this is killed, the next round goes on. */
export function dropObsolete(dir: string, names: readonly string[]): void {
  const { current, obsolete } = storedPacks(dir)
  const due = obsolete.filter(name => names.includes(name))
  if (due.length === 0) return
  const kept = new Set(current.flatMap(name => idsInPack(dir, name)))
  const isKept = (id: string) => kept.has(id) || existsSync(looseFile(dir, id))
  for (const name of due) {
    const path = join(dir, packFolder, name)
    if (existsSync(`${path}.idx`) && !idsInPack(dir, name).every(isKept)) continue
    for (const ending of ['.bitmap', '.rev', '.idx', '.pack', obsoleteMark])
      rmSync(path + ending, { force: true })
  }
}

function flushFolder(folder: string): void {
  const file = openSync(folder, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
