import { isUtf8 } from 'node:buffer'
import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { identityFile } from '../../src/storage/volume-identity.ts'
import { packagesFolder } from '../isolation/reach.ts'
import { inventoryName } from './inventory.ts'

/** Where copies of databases are made before they are packed. Leftovers of an interrupted copy have the same prefix. */
export const draftPrefix = '.longhouse-copying-'

/**
 * Not copied: what is made again (packages, caches, temporary files), locks, and the mark, which a restored volume gets from
 * the instance that it is restored for.
 */
const leftOut = new Set([
  ...[packagesFolder, 'cache', 'checks', 'tmp', 'certificates'],
  ...['longhouse.lock', 'longhouse.lock-journal', '.write-check'],
  ...[identityFile, `${identityFile}.new`, inventoryName],
])

/** `unnamed` is a file or folder whose name is not UTF-8, which an archive cannot name; its path shows such bytes as `\\xE9`. */
export type Found = { path: string; kind: 'file' | 'folder' | 'link' | 'unnamed' }

/**
 * Lists what belongs in a copy of a volume, by paths relative to it, in the order in which it can be copied while the instance
 * writes:
 *
 * 1. In every folder, files come before folders, so `longhouse.db` comes before the logs of its runs.
 * 2. In a git repository, references come before objects, and single objects before packs: objects are only added, or moved
 *    from the former to the latter, so every reference finds its objects.
 *
 * A folder that has gone in the meantime is left out, and so are the names `without` of the volume itself.
 */
export function* contentsOf(
  volume: string,
  without: ReadonlySet<string> = new Set(),
  folder = '',
): Generator<Found> {
  const { entries: all, unnamed } = list(join(volume, folder))
  for (const name of unnamed) yield { path: join(folder, name), kind: 'unnamed' }
  const entries = all.filter(
    ({ name }) => folder !== '' || !(leftOut.has(name) || without.has(name) || name.startsWith(draftPrefix)),
  )
  const folders: string[] = []
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield { path, kind: 'file' }
    else if (entry.isSymbolicLink()) yield { path, kind: 'link' }
    else if (entry.isDirectory()) folders.push(entry.name)
  }
  const isRepository = entries.some(({ name }) => name === 'HEAD') && folders.includes('objects')
  for (const name of inOrder(folders, isRepository, folder)) {
    const path = join(folder, name)
    yield { path, kind: 'folder' }
    yield* contentsOf(volume, without, path)
  }
}

function inOrder(folders: readonly string[], isRepository: boolean, folder: string): string[] {
  const last = isRepository ? ['objects'] : folder.endsWith('objects') ? ['pack'] : []
  return folders.toSorted((one, other) => {
    const byPlace = Number(last.includes(one)) - Number(last.includes(other))
    return byPlace !== 0 ? byPlace : one < other ? -1 : 1
  })
}

interface Listed {
  entries: Dirent[]
  unnamed: string[]
}

function list(folder: string): Listed {
  try {
    // By bytes first: as text, a name that is not UTF-8 would name a file that is not there.
    const unnamed = readdirSync(folder, { encoding: 'buffer' }).filter(name => !isUtf8(name))
    const bad = new Set(unnamed.map(name => name.toString('utf8')))
    const entries = readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !bad.has(name))
      .sort((one, other) => (one.name < other.name ? -1 : 1))
    return { entries, unnamed: unnamed.map(shown) }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return { entries: [], unnamed: [] }
    throw error
  }
}

function shown(name: Buffer): string {
  return name
    .toString('latin1')
    .replace(/[^ -~]/g, byte => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
