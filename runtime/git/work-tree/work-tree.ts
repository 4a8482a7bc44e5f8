import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { readRegular } from '../../../src/storage/regular-file.ts'
import { writeWhole } from '../objects/atomic-fs.ts'
import { blobId, type Entry, isExecutable, isLink, linkMode } from '../objects/objects.ts'
import { pathOf, placeOf } from '../objects/path-bytes.ts'

export interface Change {
  path: string
  /** The expected current entry; null for none. */
  before: Entry | null
  after: Entry | null
}

/** What a change of one file came to. With `no`, the file was not the expected one, and nothing was changed. */
type Outcome = 'changed' | 'was so' | 'no'

/**
 * Changes files without losing an edit: a file is moved to a backup folder and checked there, and the new one is put
 * in its place only if that is free. `stagingDir` is a folder on the same file system for new content and backups.
 */
export class WorkTree {
  readonly #dir: string
  readonly #stagingDir: string
  /** The second one is for undoing a change. */
  readonly #backupDirs: readonly [string, string]

  constructor(dir: string, stagingDir: string) {
    this.#dir = dir
    this.#stagingDir = stagingDir
    this.#backupDirs = [join(stagingDir, 'aside'), join(stagingDir, 'undone')]
  }

  /** Prepares content before the first file is changed. */
  async stage(entry: Entry, content: () => Promise<Uint8Array>): Promise<void> {
    const waiting = this.#waiting(entry)
    if (!fs.existsSync(waiting)) writeWhole(waiting, await content())
  }

  /**
   * Makes all the changes, or none: returns the path whose file was not as expected. `resumed`: a killed process
   * may have made some of them.
   */
  change(changes: readonly Change[], { resumed }: { resumed: boolean }): string | null {
    const done: Change[] = []
    for (const each of changes) {
      const made = this.#replace(each)
      if (made === 'changed') done.push(each)
      if (made !== 'no') continue
      // An edit of a file that we had just placed stays.
      for (const { path, before, after } of (resumed ? [...changes] : [...done, each]).reverse()) {
        this.#replace({ path, before: after, after: before })
      }
      return each.path
    }
    return null
  }

  /** Restores files from the backup folders after a kill. */
  restore(): void {
    for (const path of [...new Set(this.#backupDirs.flatMap(filesIn))]) {
      const file = placeOf(this.#dir, path)
      for (const each of this.#backupDirs) {
        const kept = placeOf(each, path)
        if (!fs.existsSync(file) && fs.existsSync(kept) && isPlainFolder(this.#dir, path)) {
          fs.mkdirSync(placeOf(this.#dir, dirname(path)), { recursive: true })
          fs.linkSync(kept, file)
          fs.rmSync(kept)
        }
      }
    }
  }

  /**
   * Keeps a backup that differs from what was expected beside its file: a program may have had the file open, and
   * written to it since.
   */
  keepLateEdits(changes: readonly Change[]): void {
    const known = new Map(changes.map(each => [each.path, each]))
    for (const each of this.#backupDirs) {
      for (const path of filesIn(each)) {
        const found = entryAt(placeOf(each, path))
        const change = known.get(path)
        if (same(found, change?.before ?? null) || same(found, change?.after ?? null)) continue
        fs.mkdirSync(placeOf(this.#dir, dirname(path)), { recursive: true })
        fs.renameSync(placeOf(each, path), this.#freeName(path))
      }
    }
  }

  #replace({ path, before, after }: Change): Outcome {
    const file = placeOf(this.#dir, path)
    if (!isPlainFolder(this.#dir, path)) return 'no'
    // Git does not track empty folders, so one may be removed.
    const found = after && dropEmptyFolder(file) ? null : entryAt(file)
    if (same(found, after)) return withMode(file, found, after)
    if (!same(found, before)) return 'no'
    if (before && !this.#putAside(path, before)) return 'no'
    if (after) {
      fs.mkdirSync(placeOf(this.#dir, dirname(path)), { recursive: true })
      return this.#place(after, file) ? 'changed' : 'no'
    }
    removeEmptyFolders(this.#dir, path)
    return 'changed'
  }

  /** Moves a file to a backup folder. Returns false if it was changed in that moment: then it is back in its place. */
  #putAside(path: string, expected: Entry): boolean {
    const file = placeOf(this.#dir, path)
    const free = this.#backupDirs.find(each => isPlainFolder(each, path) && !isThere(placeOf(each, path)))
    const backupDir = free ?? this.#backupDirs[1]
    const kept = placeOf(backupDir, path)
    fs.mkdirSync(placeOf(backupDir, dirname(path)), { recursive: true })
    fs.renameSync(file, kept)
    if (same(entryAt(kept), expected)) return true
    putBack(kept, file)
    return false
  }

  /** Returns false if a file appeared there meanwhile: it stays. */
  #place(entry: Entry, file: string | Buffer): boolean {
    const waiting = this.#waiting(entry)
    try {
      if (isLink(entry)) fs.symlinkSync(fs.readFileSync(waiting), file)
      else {
        // A copy instead of the staged file itself, because several places may need the same content.
        const copy = join(this.#stagingDir, 'copy')
        fs.copyFileSync(waiting, copy)
        fs.chmodSync(copy, modeOf(entry))
        fs.linkSync(copy, file)
        fs.rmSync(copy)
      }
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  #waiting(entry: Entry): string {
    return join(this.#stagingDir, `${entry.mode}-${entry.oid}`)
  }

  #freeName(path: string): string | Buffer {
    let file = placeOf(this.#dir, `${path}.edited`)
    for (let i = 2; fs.existsSync(file); i++) file = placeOf(this.#dir, `${path}.edited-${i}`)
    return file
  }
}

/** True for equal content. A different executable bit does not count: no edit is lost with it. */
const same = (found: Entry | null, entry: Entry | null) =>
  found?.oid === entry?.oid && (found && isLink(found)) === (entry && isLink(entry))

const modeOf = (entry: Entry) => (isExecutable(entry) ? 0o755 : 0o644)

/** A file with the right content gets the right executable bit too. */
function withMode(file: string | Buffer, found: Entry | null, after: Entry | null): Outcome {
  if (!found || !after || isLink(after) || isExecutable(found) === isExecutable(after)) return 'was so'
  fs.chmodSync(file, modeOf(after))
  return 'changed'
}

function filesIn(folder: string): string[] {
  const found: string[] = []
  const walk = (prefix: string): void => {
    for (const entry of fs.readdirSync(placeOf(folder, prefix), {
      withFileTypes: true,
      encoding: 'buffer',
    })) {
      const path = prefix + pathOf(entry.name)
      if (entry.isDirectory()) walk(`${path}/`)
      else found.push(path)
    }
  }
  if (fs.existsSync(folder)) walk('')
  return found
}

/** For git's and our own small files. */
const longestText = 64 * 1024

/** Returns the file's text; null if it cannot be read. */
export function fileAt(file: string): string | null {
  return readRegular(file, longestText)?.toString('utf8') ?? null
}

/** Larger files are never committed. */
const largestFile = 256 * 1024 * 1024

/** Returns git's entry for the current file. A folder equals no entry. */
function entryAt(file: string | Buffer): Entry | null {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!found) return null
  if (found.isSymbolicLink()) return { oid: blobId(fs.readlinkSync(file, 'buffer')), mode: linkMode }
  const content = found.isFile() ? readRegular(file, largestFile) : null
  if (!content) return { oid: 'no file', mode: '' }
  return { oid: blobId(content), mode: (found.mode & 0o100) === 0 ? '100644' : '100755' }
}

/** Returns false if a link stands in place of one of the path's folders: it may lead anywhere. */
function isPlainFolder(dir: string, path: string): boolean {
  for (const folder of foldersAbove(path).reverse()) {
    const found = fs.lstatSync(placeOf(dir, folder), { throwIfNoEntry: false })
    if (!found) return true
    if (!found.isDirectory()) return false
  }
  return true
}

/** Innermost first. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, i) => parts.slice(0, i + 1).join('/')).reverse()
}

/** Removes a folder without files; returns true if it did. */
function dropEmptyFolder(folder: string | Buffer): boolean {
  if (!fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return false
  try {
    for (const name of fs.readdirSync(folder, 'buffer')) {
      if (!dropEmptyFolder(Buffer.concat([Buffer.from(folder), Buffer.from('/'), name]))) return false
    }
    fs.rmdirSync(folder)
    return true
  } catch {
    return false
  }
}

const isThere = (file: string | Buffer) => fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined

function putBack(kept: string | Buffer, file: string | Buffer): void {
  try {
    fs.linkSync(kept, file)
    fs.rmSync(kept)
  } catch {
    // A new file has been put there already; both stay.
    fs.renameSync(kept, Buffer.concat([Buffer.from(file), Buffer.from('.edited')]))
  }
}

/** Removes the folders above a path that are empty now. */
export function removeEmptyFolders(dir: string, path: string): void {
  for (const folder of foldersAbove(path)) {
    try {
      fs.rmdirSync(placeOf(dir, folder))
    } catch {
      return
    }
  }
}
