import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { constants, lstatSync, readdirSync, readlinkSync, rmSync, type Stats } from 'node:fs'
import { type FileHandle, mkdtemp, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'
import { readVolumeIdentity } from '../../src/storage/volume-identity.ts'
import { contentsOf, draftPrefix } from './contents.ts'
import { copyDatabase, isDatabase } from './database-copy.ts'
import { type CopiedFile, type Inventory, inventoryName } from './inventory.ts'

const gib = 1024 ** 3

/**
 * Writes a copy of a volume as a tar archive, while the instance may be running:
 *
 * 1. Every SQLite database is copied by SQLite itself, one at a time, beside the volume's files; nothing else takes disk space.
 * 2. All other files are read in the order of `contentsOf`.
 * 3. The inventory, with a hash of each file, comes last.
 *
 * What cannot be copied whole is listed as unread, with the reason, and the rest is copied: no job can prevent the copy. A
 * customer's database that SQLite cannot copy is copied as plain files; holes of more than `holeBytes` in all are not read.
 *
 * With `portable`, for the owner, the key of the instance's secrets is left out. Returns the inventory. Throws when the volume
 * cannot be read, or `longhouse.db` cannot be copied, such as on a full disk.
 */
export async function packVolume(
  volume: string,
  output: Writable,
  now: number,
  { portable = false, holeBytes = 16 * gib } = {},
): Promise<Inventory> {
  const archive = pack()
  const written = pipeline(archive, output)
  written.catch(() => {})
  removeDrafts(volume)
  const drafts = await mkdtemp(join(volume, draftPrefix))
  try {
    const inventory: Inventory = {
      version: 1,
      instanceId: (await readVolumeIdentity(volume)) || null,
      at: now,
      files: [],
      unread: [],
    }
    const copying: Copying = {
      archive,
      drafts,
      inventory,
      holesLeft: holeBytes,
      patienceLeftMs: jobsPatienceMs,
    }
    for (const { path, kind } of contentsOf(volume, portable ? keys : undefined)) {
      const from = join(volume, path)
      if (kind === 'folder') await addFolder(archive, path, from)
      else if (kind === 'link') await addLink(archive, path, from)
      else if (kind === 'unnamed')
        inventory.unread.push({ path, reason: 'its name is not UTF-8, so it was not copied; rename it' })
      else if (!isPartOfDatabase(from)) await addFile(copying, path, from)
    }
    await addBytes(archive, inventoryName, Buffer.from(JSON.stringify(inventory)))
    archive.finalize()
    await written
    return inventory
  } catch (error) {
    archive.destroy(error as Error)
    throw error
  } finally {
    rmSync(drafts, { recursive: true, force: true })
  }
}

/** What opens the secrets of an instance that no control plane gave a key. */
const keys = new Set(['secret.key'])

/** Removes what a copy that was killed left behind. Only one copy of a volume is made at a time. */
function removeDrafts(volume: string): void {
  for (const name of readdirSync(volume))
    if (name.startsWith(draftPrefix)) rmSync(join(volume, name), { recursive: true, force: true })
}

/** The log and index of a database: its copy has what is in them. */
function isPartOfDatabase(file: string): boolean {
  const [, base] = /^(.+)-(?:wal|shm|journal)$/.exec(file) ?? []
  return base !== undefined && isDatabase(base)
}

interface Copying {
  archive: Pack
  drafts: string
  inventory: Inventory
  /** Bytes of holes that may still be read: a sparse file can claim any size. */
  holesLeft: number
  /** The time that may still be waited for the locks of customers' databases. */
  patienceLeftMs: number
}

const ownPatienceMs = 30_000
const jobsPatienceMs = 30_000
const longestWaitMs = 5000

async function addFile(copying: Copying, path: string, from: string): Promise<void> {
  const { drafts, inventory } = copying
  const tooSparse = takeHoles(copying, from)
  if (tooSparse !== null) {
    inventory.unread.push({ path, reason: tooSparse })
    return
  }
  if (!isDatabase(from)) {
    await addPlain(copying, path, from)
    return
  }
  const draft = join(drafts, 'database')
  const isOwn = path === 'longhouse.db'
  const began = performance.now()
  let rows: Record<string, number>
  try {
    const patienceMs = isOwn ? ownPatienceMs : Math.max(0, Math.min(longestWaitMs, copying.patienceLeftMs))
    rows = await copyDatabase(from, draft, Math.floor(patienceMs))
  } catch (error) {
    rmSync(draft, { force: true })
    if (isOwn) throw named(path, error)
    await addAsFiles(copying, path, from, error as Error)
    if (!isNotADatabase(error)) copying.patienceLeftMs -= performance.now() - began
    return
  }
  await addPlain(copying, path, draft, { rows, stat: lstatSync(from, { throwIfNoEntry: false }) })
  rmSync(draft, { force: true })
}

/** A customer's database that SQLite does not copy: damaged, kept locked by a job, or none at all. */
async function addAsFiles(copying: Copying, path: string, from: string, error: Error): Promise<void> {
  await addPlain(copying, path, from)
  if (isNotADatabase(error)) return
  copying.inventory.unread.push({
    path,
    reason: `SQLite could not copy it (${error.message}). Its files were copied as they are, and may not fit together.`,
  })
  for (const part of ['-journal', '-wal'])
    if (lstatSync(`${from}${part}`, { throwIfNoEntry: false })?.isFile())
      await addPlain(copying, `${path}${part}`, `${from}${part}`)
}

/** Returns in words why a file has more holes than may still be read, or null. */
function takeHoles(copying: Copying, from: string): string | null {
  const stat = lstatSync(from, { throwIfNoEntry: false })
  const holes = Math.max(0, (stat?.size ?? 0) - (stat?.blocks ?? 0) * 512)
  if (holes <= copying.holesLeft) {
    copying.holesLeft -= holes
    return null
  }
  return `it is a sparse file: of its ${stat?.size} bytes, ${(stat?.blocks ?? 0) * 512} are on the disk. It was not copied, since the holes of a volume are too large.`
}

function isNotADatabase(error: unknown): boolean {
  const code = (error as { code?: string }).code ?? ''
  return code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB')
}

async function addPlain(
  { archive, inventory }: Pick<Copying, 'archive' | 'inventory'>,
  path: string,
  from: string,
  { rows, stat: shown }: { rows?: Record<string, number>; stat?: Stats | undefined } = {},
): Promise<void> {
  let file: FileHandle
  try {
    // A pipe or a link that took the file's place is not opened.
    file = await open(from, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(code)) return
    if (code !== 'EACCES' && code !== 'EPERM') throw named(path, error)
    inventory.unread.push({ path, reason: message })
    return
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) return
    const sha256 = await addOpen(archive, path, file, stat.size, shown ?? stat)
    const copied: CopiedFile = { path, bytes: stat.size, sha256 }
    inventory.files.push(rows ? { ...copied, rows } : copied)
  } finally {
    await file.close()
  }
}

/**
 * Adds `bytes` bytes of an open file, which may grow meanwhile: a log. If it shrank, zeros take the place of what has gone, since
 * the header with its length is written. Returns the hash of what was added.
 */
async function addOpen(
  archive: Pack,
  path: string,
  file: FileHandle,
  bytes: number,
  { mode, mtime }: Pick<Stats, 'mode' | 'mtime'>,
): Promise<string> {
  const added = Promise.withResolvers<void>()
  const entry = archive.entry({ name: path, size: bytes, mode: mode & 0o777, mtime, type: 'file' }, error =>
    error ? added.reject(error) : added.resolve(),
  )
  added.promise.catch(() => {})
  const hash = createHash('sha256')
  let left = bytes
  while (left > 0) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, pieceBytes)))
    const piece = bytesRead > 0 ? buffer.subarray(0, bytesRead) : Buffer.alloc(Math.min(left, pieceBytes))
    left -= piece.length
    hash.update(piece)
    if (!entry.write(piece)) await Promise.race([once(entry, 'drain'), added.promise])
  }
  entry.end(undefined)
  await added.promise
  return hash.digest('hex')
}

const pieceBytes = 256 * 1024

async function addFolder(archive: Pack, path: string, from: string): Promise<void> {
  const stat = lstatSync(from, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return
  await add(archive, { name: path, type: 'directory', mode: stat.mode & 0o777, mtime: stat.mtime })
}

async function addLink(archive: Pack, path: string, from: string): Promise<void> {
  let linkname: string
  try {
    linkname = readlinkSync(from)
  } catch {
    return
  }
  await add(archive, { name: path, type: 'symlink', linkname })
}

async function addBytes(archive: Pack, name: string, bytes: Buffer): Promise<void> {
  const added = Promise.withResolvers<void>()
  archive.entry({ name, mode: 0o600 }, bytes, error => (error ? added.reject(error) : added.resolve()))
  await added.promise
}

async function add(archive: Pack, header: Parameters<Pack['entry']>[0]): Promise<void> {
  const added = Promise.withResolvers<void>()
  archive.entry(header, error => (error ? added.reject(error) : added.resolve()))
  await added.promise
}

function named(path: string, error: unknown): Error {
  return new Error(`${path} could not be copied: ${(error as Error).message}`, { cause: error })
}
