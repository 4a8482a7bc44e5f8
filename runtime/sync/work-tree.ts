import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { readRegular } from '../regular-file.ts'
import { writeWhole } from './atomic-fs.ts'
import type { Entry } from './trees.ts'

export interface Change {
  path: string
  /** What must be there now; null for nothing. */
  before: Entry | null
  after: Entry | null
}

const link = '120000'

/**
 * Changes files so that no edit is ever lost: a file is moved aside, looked at once more there, and the new one is put
 * in its place only where nothing is. `shed` is a folder on the same file system for what waits and what was moved.
 */
export function openWorkTree(dir: string, shed: string) {
  const sheds = [join(shed, 'aside'), join(shed, 'undone')] as const
  const waiting = (entry: Entry) => join(shed, `${entry.mode}-${entry.oid}`)

  const same = (found: Entry | null, entry: Entry | null) =>
    found?.oid === entry?.oid && (found?.mode === link) === (entry?.mode === link)

  /** `no` when something else is there than was expected; then nothing was changed. */
  const replace = ({ path, before, after }: Change): 'changed' | 'was so' | 'no' => {
    const file = join(dir, path)
    if (!isPlainFolder(dir, path)) return 'no'
    const found = entryAt(file)
    if (same(found, after)) return 'was so'
    if (!same(found, before)) return 'no'
    if (before) {
      // A second time where what was done is undone.
      const kept = join(sheds.find(each => !fs.existsSync(join(each, path))) ?? sheds[1], path)
      fs.mkdirSync(dirname(kept), { recursive: true })
      fs.renameSync(file, kept)
      if (!same(entryAt(kept), before)) {
        putBack(kept, file)
        return 'no'
      }
    }
    if (after) {
      fs.mkdirSync(dirname(file), { recursive: true })
      return place(after, file) ? 'changed' : 'no'
    }
    removeEmptyFolders(dir, dirname(path))
    return 'changed'
  }

  /** False when something came there meanwhile: it stays. */
  const place = (entry: Entry, file: string): boolean => {
    try {
      if (entry.mode === link) fs.symlinkSync(fs.readFileSync(waiting(entry)), file)
      else {
        // A copy and not the waiting file itself: the same content may be wanted in several places.
        const copy = join(shed, 'copy')
        fs.copyFileSync(waiting(entry), copy)
        fs.chmodSync(copy, entry.mode === '100755' ? 0o755 : 0o644)
        fs.linkSync(copy, file)
        fs.rmSync(copy)
      }
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  return {
    /** Has this content at hand before the first file is touched. */
    prepare: async (entry: Entry, content: () => Promise<Uint8Array>): Promise<void> => {
      if (!fs.existsSync(waiting(entry))) writeWhole(waiting(entry), await content())
    },

    /**
     * Makes all the changes, or none: returns the path where something else was found than was expected. `resumed`: some
     * of them may have been made by whoever was killed.
     */
    change: (changes: readonly Change[], { resumed }: { resumed: boolean }): string | null => {
      const done: Change[] = []
      for (const each of changes) {
        const made = replace(each)
        if (made === 'changed') done.push(each)
        if (made !== 'no') continue
        // Where somebody has edited what we had just put there, that edit stays.
        for (const { path, before, after } of (resumed ? [...changes] : [...done, each]).reverse()) {
          replace({ path, before: after, after: before })
        }
        return each.path
      }
      return null
    },

    /** Puts back what was moved aside and is not in its place: a kill came in between. */
    restore: (): void => {
      for (const path of [...new Set(sheds.flatMap(filesIn))]) {
        const file = join(dir, path)
        for (const each of sheds) {
          const kept = join(each, path)
          if (!fs.existsSync(file) && fs.existsSync(kept) && isPlainFolder(dir, path)) {
            fs.mkdirSync(dirname(file), { recursive: true })
            fs.linkSync(kept, file)
            fs.rmSync(kept)
          }
        }
      }
    },

    /**
     * What was moved aside is what it was when it was looked at, or it is kept beside its place: somebody may have had
     * the file open, and written into it since.
     */
    rescue: (changes: readonly Change[]): void => {
      const known = new Map(changes.map(each => [each.path, each]))
      for (const each of sheds) {
        for (const path of filesIn(each)) {
          const found = entryAt(join(each, path))
          const change = known.get(path)
          if (same(found, change?.before ?? null) || same(found, change?.after ?? null)) continue
          let file = join(dir, `${path}.edited`)
          for (let i = 2; fs.existsSync(file); i++) file = join(dir, `${path}.edited-${i}`)
          fs.mkdirSync(dirname(file), { recursive: true })
          fs.renameSync(join(each, path), file)
        }
      }
    },
  }
}

function filesIn(folder: string): string[] {
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

/** Of git's and our own small files. */
const longestText = 64 * 1024

/** The file's text, or null when it cannot be had. */
export function fileAt(file: string): string | null {
  return readRegular(file, longestText)?.toString('utf8') ?? null
}

/** What is larger than this is nothing that was ever committed. */
const largestFile = 256 * 1024 * 1024

/** What git would call the file that is there. A folder is something that no entry is equal to. */
function entryAt(file: string): Entry | null {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!found) return null
  if (found.isSymbolicLink()) return { oid: blobId(fs.readlinkSync(file, 'buffer')), mode: link }
  const content = found.isFile() ? readRegular(file, largestFile) : null
  return content ? { oid: blobId(content), mode: '100644' } : { oid: 'no file', mode: '' }
}

function blobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex')
}

/** False when a link stands where the path has a folder: it may lead anywhere. */
function isPlainFolder(dir: string, path: string): boolean {
  let folder = dir
  for (const part of path.split('/').slice(0, -1)) {
    folder = join(folder, part)
    const found = fs.lstatSync(folder, { throwIfNoEntry: false })
    if (!found) return true
    if (!found.isDirectory()) return false
  }
  return true
}

function putBack(kept: string, file: string): void {
  try {
    fs.linkSync(kept, file)
    fs.rmSync(kept)
  } catch {
    // Somebody has put a new one there already; both stay.
    fs.renameSync(kept, `${file}.edited`)
  }
}

function removeEmptyFolders(dir: string, folder: string): void {
  for (let each = folder; each !== '.' && each !== ''; each = dirname(each)) {
    try {
      fs.rmdirSync(join(dir, each))
    } catch {
      return
    }
  }
}
