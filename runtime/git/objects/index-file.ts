import { createHash, randomUUID } from 'node:crypto'
import { type BigIntStats, linkSync, lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'
import { writeWhole } from './atomic-fs.ts'
import type { Entry } from './objects.ts'
import { bytesOf, comparePaths, pathOf } from './path-bytes.ts'

/** An entry of git's index, with the file that it was written for. */
export interface IndexEntry extends Entry {
  path: string
  /** Ten numbers of 32 bits, as git writes them: see `stampOf`. */
  stamp: Buffer
  /** The side of an unfinished merge; 0 outside one. */
  stage: number
  assumeValid: boolean
  /** Deliberately missing from the work tree. */
  skipWorktree: boolean
  intentToAdd: boolean
}

export interface GitIndex {
  entries: IndexEntry[]
  /** When the index was written, in nanoseconds; 0 if there is none. */
  writtenAt: bigint
}

/** Fits 50,000 files with long names. */
const largestIndex = 64 * 1024 * 1024
const stampBytes = 40

/** Reads versions 2 to 4. Throws for other versions and damaged files. */
export function readIndex(dir: string): GitIndex {
  const file = join(dir, '.git/index')
  const found = lstatSync(file, { bigint: true, throwIfNoEntry: false })
  if (!found) return { entries: [], writtenAt: 0n }
  const bytes = readRegular(file, largestIndex)
  if (!bytes || bytes.length < 32 || bytes.toString('latin1', 0, 4) !== 'DIRC') throw damaged()
  const body = bytes.subarray(0, -20)
  const sum = bytes.subarray(-20)
  // `index.skipHash` leaves the checksum zero.
  if (!sum.equals(Buffer.alloc(20)) && !createHash('sha1').update(body).digest().equals(sum)) throw damaged()
  const version = body.readUInt32BE(4)
  if (version < 2 || version > 4) throw new Error(`.git/index has the version ${version}, which is not known`)
  const count = body.readUInt32BE(8)
  const entries: IndexEntry[] = []
  let at = 12
  let before = Buffer.alloc(0)
  for (let i = 0; i < count; i++) {
    const start = at
    if (start + 62 > body.length) throw damaged()
    const flags = body.readUInt16BE(start + 60)
    const extended = (flags & 0x4000) !== 0 ? body.readUInt16BE(start + 62) : 0
    at = start + (flags & 0x4000 ? 64 : 62)
    let kept = 0
    if (version === 4) {
      const [dropped, length] = numberAt(body, at)
      at += length
      kept = before.length - dropped
    }
    const end = body.indexOf(0, at)
    if (end < 0 || kept < 0) throw damaged()
    const name = Buffer.concat([before.subarray(0, kept), body.subarray(at, end)])
    at = version === 4 ? end + 1 : start + Math.ceil((end + 1 - start) / 8) * 8
    before = name
    entries.push({
      path: pathOf(name),
      mode: body.readUInt32BE(start + 24).toString(8),
      oid: body.toString('hex', start + 40, start + 60),
      stamp: Buffer.from(body.subarray(start, start + stampBytes)),
      stage: (flags >> 12) & 3,
      assumeValid: (flags & 0x8000) !== 0,
      skipWorktree: (extended & 0x4000) !== 0,
      intentToAdd: (extended & 0x2000) !== 0,
    })
  }
  // A split index keeps most entries in another file.
  if (body.indexOf('link', at, 'latin1') === at && at + 8 < body.length) {
    throw new Error('.git/index is split; git update-index --no-split-index makes it whole')
  }
  // An entry of a sparse index may be a whole folder that is not checked out.
  if (entries.some(({ mode }) => mode === '40000') || hasExtension(body, at, 'sdir')) {
    throw new Error(
      '.git/index is sparse; git sparse-checkout reapply --no-sparse-index makes it whole, and changes no file',
    )
  }
  return { entries, writtenAt: found.mtimeNs }
}

/** Extensions follow the entries, each with its name and length. */
function hasExtension(body: Buffer, start: number, name: string): boolean {
  for (let at = start; at + 8 <= body.length; at += 8 + body.readUInt32BE(at + 4)) {
    if (body.toString('latin1', at, at + 4) === name) return true
  }
  return false
}

const damaged = () =>
  new Error('.git/index is damaged; remove it, and git reset brings it back without touching files')

/** Reads git's variable-length number; returns it with its size in bytes. */
function numberAt(bytes: Buffer, start: number): [number, number] {
  let at = start
  let byte = bytes[at++] ?? 0
  let value = byte & 0x7f
  while (byte & 0x80) {
    byte = bytes[at++] ?? 0
    value = ((value + 1) << 7) | (byte & 0x7f)
  }
  return [value, at - start]
}

/** Replaces the whole index. The caller must hold git’s lock. */
export function writeIndex(dir: string, entries: readonly IndexEntry[]): void {
  const sorted = [...entries].sort((a, b) => comparePaths(a.path, b.path) || a.stage - b.stage)
  const head = Buffer.alloc(12)
  head.write('DIRC', 'latin1')
  head.writeUInt32BE(sorted.some(isExtended) ? 3 : 2, 4)
  head.writeUInt32BE(sorted.length, 8)
  const body = Buffer.concat([head, ...sorted.map(formatEntry)])
  writeWhole(join(dir, '.git/index'), Buffer.concat([body, createHash('sha1').update(body).digest()]))
}

const isExtended = (entry: IndexEntry) => entry.skipWorktree || entry.intentToAdd

function formatEntry(entry: IndexEntry): Buffer {
  const name = bytesOf(entry.path)
  const start = isExtended(entry) ? 64 : 62
  const bytes = Buffer.alloc(Math.ceil((start + name.length + 1) / 8) * 8)
  entry.stamp.copy(bytes)
  bytes.writeUInt32BE(Number.parseInt(entry.mode, 8), 24)
  bytes.write(entry.oid, 40, 'hex')
  const flags = (entry.assumeValid ? 0x8000 : 0) | (isExtended(entry) ? 0x4000 : 0) | (entry.stage << 12)
  bytes.writeUInt16BE(flags | Math.min(name.length, 0xfff), 60)
  if (isExtended(entry)) {
    bytes.writeUInt16BE((entry.skipWorktree ? 0x4000 : 0) | (entry.intentToAdd ? 0x2000 : 0), 62)
  }
  name.copy(bytes, start)
  return bytes
}

export function indexEntry(path: string, entry: Entry, more: Partial<IndexEntry> = {}): IndexEntry {
  const flags = { stage: 0, assumeValid: false, skipWorktree: false, intentToAdd: false }
  // Git uses only modes 644 and 755, whatever an old tree says.
  const mode = entry.mode === '100664' ? '100644' : entry.mode
  return { path, mode, oid: entry.oid, stamp: Buffer.alloc(stampBytes), ...flags, ...more }
}

/** Returns the index with these paths changed; null removes a path. All others are unchanged. */
export function indexWith(
  entries: readonly IndexEntry[],
  changes: ReadonlyMap<string, IndexEntry | null>,
): IndexEntry[] {
  const kept = entries.filter(({ path }) => !changes.has(path))
  return [...kept, ...[...changes.values()].filter(entry => entry !== null)]
}

const uint32 = 0xffff_ffffn

/**
 * The file attributes by which git detects an unchanged file without reading it. Zero, which matches no file, for one
 * that changed just now: another change within the same tick of the clock would not be detected.
 */
export function stampOf(found: BigIntStats, nowMs = Date.now()): Buffer {
  const stamp = Buffer.alloc(stampBytes)
  if (Number(found.mtimeMs) > nowMs - 100) return stamp
  const second = 1_000_000_000n
  const { ctimeNs, mtimeNs, dev, ino, uid, gid, size } = found
  const times = [ctimeNs / second, ctimeNs % second, mtimeNs / second, mtimeNs % second]
  const numbers = [...times, dev, ino, 0n, uid, gid, size]
  for (const [i, number] of numbers.entries()) stamp.writeUInt32BE(Number(number & uint32), i * 4)
  return stamp
}

/** True if the file was not modified since this entry was written for it. */
export function isUntouched(entry: IndexEntry, found: BigIntStats, { writtenAt }: GitIndex): boolean {
  if (entry.stage !== 0 || entry.intentToAdd) return false
  if (found.mtimeNs >= writtenAt) return false
  const now = stampOf(found, Number.POSITIVE_INFINITY)
  // Ignores the device, as git does, and the digits of times that programs with floating-point times lose.
  for (const at of [0, 8, 20, 36]) {
    if (now.readUInt32BE(at) !== entry.stamp.readUInt32BE(at)) return false
  }
  return [4, 12].every(at => Math.abs(now.readUInt32BE(at) - entry.stamp.readUInt32BE(at)) < 1000)
}

const lockFile = (dir: string) => join(dir, '.git/index.lock')

/** Takes git's own lock of the index, with text that names the holder. Returns false if another program has it. */
export function lockIndex(dir: string, words: string): boolean {
  const draft = `${lockFile(dir)}.${randomUUID().slice(0, 8)}`
  writeWhole(draft, words)
  try {
    linkSync(draft, lockFile(dir))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Releases the lock if it contains this text. */
export function unlockIndex(dir: string, words: string): void {
  const found = readRegular(lockFile(dir), 1024)
  if (found?.toString('utf8') === words) rmSync(lockFile(dir), { force: true })
}
