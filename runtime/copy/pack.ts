import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { constants, lstatSync, readdirSync, readlinkSync, rmSync, type Stats } from 'node:fs'
import { type FileHandle, mkdtemp, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Pack, pack } from 'tar-stream'
import { readVolumeIdentity } from '../../src/storage/volume-identity.ts'
import { contentsOf, draftPrefix, placeIn } from './contents.ts'
import { copyDatabase, isDatabase } from './database-copy.ts'
import { bytesOfLink, bytesOfPath, type CopiedFile, type Inventory, inventoryName } from './inventory.ts'

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
 * `step` gets the name of each database before SQLite copies it, which it does without a word.
 *
 * With `portable`, for the owner, the key of the instance's secrets is left out. Returns the inventory. Throws when the volume
 * cannot be read, or `longhouse.db` cannot be copied, such as on a full disk.
 */
export async function packVolume(
  volume: string,
  output: Writable,
  now: number,
  {
    portable = false,
    holeBytes = 16 * gib,
    step = () => {},
  }: { portable?: boolean; holeBytes?: number; step?: (words: string) => void } = {},
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
      step,
    }
    for (const found of contentsOf(volume, portable ? keys : undefined)) {
      const source = { path: found.path, from: placeIn(volume, found), ...paxOf(found.bytes) }
      if (found.kind === 'folder') await addFolder(archive, source)
      else if (found.kind === 'link') await addLink(archive, source)
      else if (!isPartOfDatabase(source.from)) await addFile(copying, source)
    }
    // What goes away file by file looks as if it had been deleted: a disk that is unmounted, a volume that is deleted.
    if (inventory.instanceId !== null && (await readVolumeIdentity(volume)) !== inventory.instanceId)
      throw new Error('the volume went away, or was replaced, while it was copied')
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

/** What is copied, and from where. `pax` names what is not UTF-8. */
interface Source {
  path: string
  from: string | Buffer
  pax?: Record<string, string>
}

function paxOf(bytes: Buffer | null): Pick<Source, 'pax'> {
  return bytes === null ? {} : { pax: { [bytesOfPath]: bytes.toString('base64') } }
}

/** What opens the secrets of an instance that no control plane gave a key. */
const keys = new Set(['secret.key'])

/** Removes what a copy that was killed left behind. Only one copy of a volume is made at a time. */
function removeDrafts(volume: string): void {
  for (const name of readdirSync(volume))
    if (name.startsWith(draftPrefix)) rmSync(join(volume, name), { recursive: true, force: true })
}

/** The log and index of a database: its copy has what is in them. */
function isPartOfDatabase(file: string | Buffer): boolean {
  if (typeof file !== 'string') return false
  const [, base] = /^(.+)-(?:wal|shm|journal)$/.exec(file) ?? []
  if (base === undefined) return false
  // SQLite keeps the log of a database that a link leads to beside the database.
  return lstatSync(base, { throwIfNoEntry: false })?.isFile() === true && isDatabase(base)
}

interface Copying {
  archive: Pack
  drafts: string
  inventory: Inventory
  /** Bytes of holes that may still be read: a sparse file can claim any size. */
  holesLeft: number
  /** The time that may still be waited for the locks of customers' databases. */
  patienceLeftMs: number
  step(words: string): void
}

const ownPatienceMs = 30_000
const jobsPatienceMs = 30_000
const longestWaitMs = 5000

async function addFile(copying: Copying, source: Source): Promise<void> {
  const { path, from } = source
  const { drafts, inventory } = copying
  const tooSparse = takeHoles(copying, from)
  if (tooSparse !== null) {
    inventory.unread.push({ path, reason: tooSparse })
    return
  }
  if (!isDatabase(from)) {
    await addPlain(copying, source)
    return
  }
  if (typeof from !== 'string') {
    await addPlain(copying, source)
    const reason =
      'its name is not UTF-8, and SQLite opens no such file. Its files were copied as they are, and may not fit together.'
    inventory.unread.push({ path, reason })
    return
  }
  copying.step(`SQLite copies ${path}`)
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
  await addPlain(copying, { path, from: draft }, { rows, stat: lstatSync(from, { throwIfNoEntry: false }) })
  rmSync(draft, { force: true })
}

/** A customer's database that SQLite does not copy: damaged, kept locked by a job, or none at all. */
async function addAsFiles(copying: Copying, path: string, from: string, error: Error): Promise<void> {
  await addPlain(copying, { path, from })
  if (!isNotADatabase(error))
    copying.inventory.unread.push({
      path,
      reason: `SQLite could not copy it (${error.message}). Its files were copied as they are, and may not fit together.`,
    })
  // SQLite makes the index, `-shm`, anew from the log.
  for (const part of ['-journal', '-wal'])
    if (lstatSync(`${from}${part}`, { throwIfNoEntry: false })?.isFile())
      await addPlain(copying, { path: `${path}${part}`, from: `${from}${part}` })
}

/** Returns in words why a file has more holes than may still be read, or null. */
function takeHoles(copying: Copying, from: string | Buffer): string | null {
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
  source: Source,
  { rows, stat: shown }: { rows?: Record<string, number>; stat?: Stats | undefined } = {},
): Promise<void> {
  const { path, from } = source
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
    const sha256 = await addOpen(archive, source, file, stat.size, shown ?? stat)
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
  { path, pax }: Source,
  file: FileHandle,
  bytes: number,
  { mode, mtime }: Pick<Stats, 'mode' | 'mtime'>,
): Promise<string> {
  const added = Promise.withResolvers<void>()
  const header = {
    name: path,
    size: bytes,
    mode: mode & 0o777,
    mtime,
    type: 'file',
    ...(pax && { pax }),
  } as const
  const entry = archive.entry(header, error => (error ? added.reject(error) : added.resolve()))
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

async function addFolder(archive: Pack, { path, from, pax }: Source): Promise<void> {
  const stat = lstatSync(from, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return
  const { mode, mtime } = stat
  await add(archive, { name: path, type: 'directory', mode: mode & 0o777, mtime, ...(pax && { pax }) })
}

async function addLink(archive: Pack, { path, from, pax }: Source): Promise<void> {
  let target: Buffer
  try {
    target = readlinkSync(from, 'buffer')
  } catch {
    return
  }
  const named = isUtf8(target) ? pax : { ...pax, [bytesOfLink]: target.toString('base64') }
  await add(archive, {
    name: path,
    type: 'symlink',
    linkname: target.toString('utf8'),
    ...(named && { pax: named }),
  })
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
