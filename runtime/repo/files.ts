import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { posix } from 'node:path'
import { defineProblem } from '../../src/http/problem.ts'
import type { Folders } from '../volume/contract.ts'
import {
  fileChanged,
  type ListedFile,
  largestFileBytes,
  type RepoFile,
  type RepoFiles,
  uneditable,
  unknownFile,
} from './contract.ts'
import { type Accept, acceptIn, checkPath, isForbidden, refusedPath } from './file-path.ts'
import { openFolderAt } from './folder.ts'
import { unfinishedSave } from './unfinished-save.ts'

const fileTooLarge = defineProblem('file-too-large', 413, 'The file is too large to edit here')
export const fileExists = defineProblem('file-exists', 409, 'There is a file of this name already')

const listedFiles = 2000

export function openFiles(
  { dir, jobsDir }: Pick<Folders, 'dir' | 'jobsDir'>,
  accept: Accept = acceptIn(jobsDir),
): RepoFiles {
  /** Its folder stays open, so that every step applies to the same file. */
  const hold = (path: string, { make = false } = {}): Place | null => {
    const folder = folderOf(path)
    const opened = openFolderAt(jobsDir, folder, { make })
    if (opened) return { path, entry: opened.entry(posix.basename(path)), [Symbol.dispose]: opened.close }
    if (make)
      throw refusedPath(
        folder ? `"${folder}" is not a folder of the repo.` : 'The jobs folder does not exist.',
      )
    return null
  }

  return {
    list: () => listFiles(jobsDir),
    accept,
    acceptName: checkPath,
    read: path => {
      accept(path)
      using place = hold(path)
      if (!place) throw missing(path)
      return readAt(place)
    },
    write: (path, content, basedOn) => {
      accept(path)
      const bytes = Buffer.from(content)
      if (bytes.byteLength > largestFileBytes) throw tooLarge(path)
      if (content.includes('\0')) throw uneditable('The text must not contain zero bytes.')
      // No folder is created for a file that existed when it was read.
      using place = hold(path, { make: typeof basedOn !== 'string' })
      const there = place && fileAt(place)
      if (basedOn === null && there) throw fileExists(`"${path}" exists already. Open it to change it.`)
      if (!place || (typeof basedOn === 'string' && !(there && readAt(place).hash === basedOn))) {
        throw changed(path)
      }
      // Written outside the repo, so that no commit contains half of it.
      const fresh = unfinishedSave(dir)
      try {
        writeFileSync(fresh, bytes, { flush: true })
        if (there) chmodSync(fresh, there.mode)
        renameSync(fresh, place.entry)
      } finally {
        rmSync(fresh, { force: true })
      }
      return { path, content, hash: hashOf(bytes) }
    },
    remove: (path, basedOn) => {
      accept(path)
      using place = hold(path)
      if (!place || !fileAt(place)) throw missing(path)
      if (basedOn !== undefined && readAt(place).hash !== basedOn) throw changed(path)
      unlinkSync(place.entry)
      dropEmptyFolders(jobsDir, path)
    },
    rename: (from, to, basedOn) => {
      accept(from)
      accept(to)
      using source = hold(from)
      if (!source || !fileAt(source)) throw missing(from)
      if (basedOn !== undefined && readAt(source).hash !== basedOn) throw changed(from)
      using target = hold(to, { make: true })
      if (!target || fileAt(target))
        throw fileExists(`"${to}" exists already. Choose another name, or delete it first.`)
      renameSync(source.entry, target.entry)
      dropEmptyFolders(jobsDir, from)
    },
  }
}

/** The place of a present or future file, in an open folder. */
interface Place extends Disposable {
  path: string
  entry: string
}

/** Null if there is none; anything but a file is refused. */
function fileAt({ path, entry }: Place): Stats | null {
  const found = lstatSync(entry, { throwIfNoEntry: false }) ?? null
  if (found && !found.isFile()) throw noFile(path)
  return found
}

function readAt({ path, entry }: Place): RepoFile {
  let fd: number
  try {
    // A pipe is opened without waiting for a writer, and a link is not opened at all.
    fd = openSync(entry, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw missing(path)
    throw uneditable(`"${path}" cannot be read (${code}).`, { cause: error })
  }
  try {
    const found = fstatSync(fd)
    if (!found.isFile()) throw noFile(path)
    if (found.size > largestFileBytes) throw tooLarge(path)
    const bytes = readFileSync(fd)
    return { path, content: textOf(path, bytes), hash: hashOf(bytes) }
  } finally {
    closeSync(fd)
  }
}

function listFiles(jobsDir: string): { files: ListedFile[]; more: boolean } {
  const files: ListedFile[] = []
  let more = false
  const walk = (folder: string): void => {
    for (const { name, found } of entriesOf(jobsDir, folder, listedFiles - files.length)) {
      const path = posix.join(folder, name)
      if (found === 'folder') walk(path)
      else if (files.length >= listedFiles) more = true
      else if (found) {
        const editable = found.isFile() && found.size <= largestFileBytes
        files.push({ path, sizeBytes: found.size, modifiedAt: found.mtimeMs, editable })
      }
    }
  }
  walk('')
  return { files, more }
}

/**
 * Entries by name. At most `most` entries that are not folders are examined; the others, and those that have gone
 * meanwhile, are null.
 */
function entriesOf(
  jobsDir: string,
  folder: string,
  most: number,
): { name: string; found: 'folder' | Stats | null }[] {
  const opened = openFolderAt(jobsDir, folder)
  if (!opened) return []
  try {
    let looks = 0
    const look = (name: string) =>
      looks++ < most ? (lstatSync(opened.entry(name), { throwIfNoEntry: false }) ?? null) : null
    return readdirSync(opened.entry('.'), { withFileTypes: true })
      .filter(({ name }) => !isForbidden(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(entry => ({ name: entry.name, found: entry.isDirectory() ? 'folder' : look(entry.name) }))
  } catch {
    return []
  } finally {
    opened.close()
  }
}

/** Removes empty folders, which git does not track. */
function dropEmptyFolders(jobsDir: string, path: string): void {
  for (let folder = folderOf(path); folder !== ''; folder = folderOf(folder)) {
    const opened = openFolderAt(jobsDir, folderOf(folder))
    try {
      if (!opened) return
      rmdirSync(opened.entry(posix.basename(folder)))
    } catch {
      return
    } finally {
      opened?.close()
    }
  }
}

/** The folder of a path in the repo; '' for the repo itself. */
export function folderOf(path: string): string {
  const folder = posix.dirname(path)
  return folder === '.' ? '' : folder
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    if (bytes.includes(0)) throw new TypeError('zero byte')
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw uneditable(`"${path}" is not UTF-8 text.`)
  }
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32)

const missing = (path: string) => unknownFile(`The repo has no file "${path}".`)

const noFile = (path: string) => uneditable(`"${path}" is a link or a device, not a file.`)

const tooLarge = (path: string) =>
  fileTooLarge(`"${path}" would hold more than ${largestFileBytes / 1024} KiB. Use git for it.`)

const changed = (path: string) =>
  fileChanged(
    `"${path}" is not what it was when you opened it. Nothing was saved; look at both, then save again.`,
  )
