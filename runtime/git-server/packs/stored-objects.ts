import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { obsoleteMark, packFolder } from '../../git/objects/obsolete-packs.ts'

/** When objects are put together, and how many at a time. */
export interface PackLimits {
  /** Packs that are put together only when there are at least so many of them. */
  packs: number
  /** Single objects that are put together only when there are about so many of them. */
  loose: number
  /** What is put together is not larger: isomorphic-git holds a pack in memory as a whole. */
  bytes: number
}

/** What is to be put together: names of packs such as `pack-…`, and ids of single objects. */
export interface Chosen {
  packs: string[]
  loose: string[]
}

/** Chooses what to put together, small packs first: large ones stay as they are. Empty when there is not enough. */
export function chooseObjects(
  dir: string,
  { packs: mostPacks, loose: mostLoose, bytes }: PackLimits,
): Chosen {
  let left = bytes
  const fits = (size: number) => {
    if (size > left) return false
    left -= size
    return true
  }
  const small = storedPacks(dir)
    .current.map(name => ({ name, size: sizeOf(join(dir, packFolder, `${name}.pack`)) }))
    .sort((one, other) => one.size - other.size)
    .filter(({ size }) => fits(size))
    .map(({ name }) => name)
  const packs = small.length >= mostPacks ? small : []
  if (packs.length === 0) left = bytes
  // As git estimates it: ids are spread evenly over the folders.
  const isMany = looseIn(dir, '17').length * 256 >= mostLoose
  const loose = isMany
    ? looseFolders(dir)
        .flatMap(folder => looseIn(dir, folder))
        .filter(id => fits(sizeOf(looseFile(dir, id))))
    : []
  return { packs, loose }
}

/** The packs that are complete, and those that are marked: other packs have all their objects. */
export function storedPacks(dir: string): { current: string[]; obsolete: string[] } {
  const names = listed(join(dir, packFolder))
  const has = new Set(names)
  // Indexes of many packs at once, or packs that are to stay: such a repo is left alone.
  if (names.some(name => /^multi-pack-index|\.(keep|promisor|mtimes)$/.test(name)))
    return { current: [], obsolete: [] }
  const stems = (ending: string) =>
    names.filter(name => name.endsWith(ending)).map(name => name.slice(0, -ending.length))
  const obsolete = stems(obsoleteMark)
  const current = stems('.idx').filter(
    name => /^pack-[0-9a-f]{40}$/.test(name) && has.has(`${name}.pack`) && !has.has(`${name}${obsoleteMark}`),
  )
  return { current, obsolete }
}

/** The ids of the objects in a pack, of its index. Throws for an index of another version. */
export function idsInPack(dir: string, name: string): string[] {
  const index = readFileSync(join(dir, packFolder, `${name}.idx`))
  if (index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2)
    throw new Error(`${name}.idx is not an index of version 2`)
  const count = index.readUInt32BE(8 + 255 * 4)
  const first = 8 + 256 * 4
  return Array.from({ length: count }, (_, at) =>
    index.toString('hex', first + at * 20, first + at * 20 + 20),
  )
}

export function looseFile(dir: string, id: string): string {
  return join(dir, '.git/objects', id.slice(0, 2), id.slice(2))
}

function looseFolders(dir: string): string[] {
  return listed(join(dir, '.git/objects')).filter(name => /^[0-9a-f]{2}$/.test(name))
}

function looseIn(dir: string, folder: string): string[] {
  return listed(join(dir, '.git/objects', folder))
    .filter(name => /^[0-9a-f]{38}$/.test(name))
    .map(name => folder + name)
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The size of a file; more than anything for what is none. */
function sizeOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  return stat?.isFile() ? stat.size : Number.POSITIVE_INFINITY
}
