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

/**
 * `path` is unique and relative to the volume. Where a name is not UTF-8, `path` shows such bytes as `\\xE9`, and `bytes` are
 * what the path is in fact; null otherwise.
 */
export interface Found {
  path: string
  bytes: Buffer | null
  kind: 'file' | 'folder' | 'link'
}

/** Where a path is in a folder, as the file system knows it. */
export function placeIn(folder: string, { path, bytes }: Pick<Found, 'path' | 'bytes'>): string | Buffer {
  return bytes === null ? join(folder, path) : Buffer.concat([Buffer.from(`${folder}/`), bytes])
}

const root: Pick<Found, 'path' | 'bytes'> = { path: '', bytes: null }

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
  folder = root,
): Generator<Found> {
  const entries = list(placeIn(volume, folder)).filter(
    ({ name }) =>
      folder.path !== '' || !(leftOut.has(name) || without.has(name) || name.startsWith(draftPrefix)),
  )
  const folders: Named[] = []
  for (const entry of entries) {
    if (entry.is.isFile()) yield { ...below(folder, entry), kind: 'file' }
    else if (entry.is.isSymbolicLink()) yield { ...below(folder, entry), kind: 'link' }
    else if (entry.is.isDirectory()) folders.push(entry)
  }
  const isRepository =
    entries.some(({ name }) => name === 'HEAD') && folders.some(({ name }) => name === 'objects')
  for (const entry of inOrder(folders, isRepository, folder.path)) {
    const found = below(folder, entry)
    yield { ...found, kind: 'folder' }
    yield* contentsOf(volume, without, found)
  }
}

function below(folder: Pick<Found, 'path' | 'bytes'>, { name, bytes }: Named): Pick<Found, 'path' | 'bytes'> {
  const path = join(folder.path, name)
  if (bytes === null && folder.bytes === null) return { path, bytes: null }
  const above = folder.bytes ?? Buffer.from(folder.path)
  const own = bytes ?? Buffer.from(name)
  return { path, bytes: above.length === 0 ? own : Buffer.concat([above, Buffer.from('/'), own]) }
}

function inOrder(folders: readonly Named[], isRepository: boolean, folder: string): Named[] {
  const last = isRepository ? ['objects'] : folder.endsWith('objects') ? ['pack'] : []
  return folders.toSorted(({ name: one }, { name: other }) => {
    const byPlace = Number(last.includes(one)) - Number(last.includes(other))
    return byPlace !== 0 ? byPlace : one < other ? -1 : 1
  })
}

interface Named {
  name: string
  /** Null when the name is UTF-8. */
  bytes: Buffer | null
  is: Dirent<Buffer>
}

function list(folder: string | Buffer): Named[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })
    const names = new Set<string>()
    const named: Named[] = []
    for (const is of entries.filter(each => isUtf8(each.name))) {
      const name = is.name.toString('utf8')
      names.add(name)
      named.push({ name, bytes: null, is })
    }
    for (const is of entries.filter(each => !isUtf8(each.name))) {
      let name = shown(is.name)
      while (names.has(name)) name += '~'
      names.add(name)
      named.push({ name, bytes: is.name, is })
    }
    return named.sort((one, other) => (one.name < other.name ? -1 : 1))
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function shown(name: Buffer): string {
  return name
    .toString('latin1')
    .replace(/[^ -~]/g, byte => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
