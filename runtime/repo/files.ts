import { createHash, randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { defineProblem } from '../../src/http/problem.ts'
import type { Volume } from '../volume.ts'
import { isDotGit } from './git-names.ts'

export const unknownFile = defineProblem('unknown-file', 404, 'No such file')
export const refusedPath = defineProblem('refused-path', 422, 'Not a path of a file that can be edited here')
export const uneditable = defineProblem('uneditable', 415, 'This file cannot be edited here')
export const fileTooLarge = defineProblem('file-too-large', 413, 'The file is too large to edit here')
export const fileChanged = defineProblem('file-changed', 409, 'The file was changed meanwhile')
export const fileExists = defineProblem('file-exists', 409, 'There is a file of this name already')

export const largestFileBytes = 512 * 1024
const longestPath = 300
const listedFiles = 2000

export interface ListedFile {
  path: string
  sizeBytes: number
  modifiedAt: number
  /** False for a link and for what is too large. */
  editable: boolean
}

export interface RepoFile {
  path: string
  content: string
  /** Of its content: the same hash is the same text. */
  hash: string
}

/**
 * The jobs repo's own files, for whoever edits them from outside. Paths are relative with slashes; what leads out of
 * the repo, into git or into packages is refused, and so are links, for a job could have put them there.
 */
export interface RepoFiles {
  /** By path; `more` when there are too many to list. */
  list(): { files: ListedFile[]; more: boolean }
  read(path: string): RepoFile
  /** Throws where no file may be. */
  accept(path: string): void
  /**
   * Replaces a file whole, or makes it with its folders. `basedOn` is the hash that the change was made from, null for
   * a file that must be new; when it is left out, whatever is there is replaced. Throws `file-changed`.
   */
  write(path: string, content: string, basedOn?: string | null): RepoFile
  remove(path: string, basedOn?: string): void
  rename(from: string, to: string, basedOn?: string): void
}

export function openFiles({ dir, jobsDir }: Pick<Volume, 'dir' | 'jobsDir'>): RepoFiles {
  const place = (path: string): string => {
    checkPath(path)
    const full = join(jobsDir, path)
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      const found = lstatSync(join(jobsDir, folder), { throwIfNoEntry: false })
      if (found && !found.isDirectory()) {
        throw refusedPath(
          `"${folder}" is ${found.isSymbolicLink() ? 'a link' : 'a file'}, no folder of the repo.`,
        )
      }
    }
    const found = lstatSync(full, { throwIfNoEntry: false })
    if (found?.isDirectory()) throw refusedPath(`"${path}" is a folder; name a file in it.`)
    if (found && !found.isFile()) throw uneditable(`"${path}" is a link or a device, not a file.`)
    return full
  }

  const read = (path: string): RepoFile => {
    const full = place(path)
    let fd: number
    try {
      fd = openSync(full, constants.O_RDONLY | constants.O_NOFOLLOW)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw unknownFile(`The repo has no file "${path}".`)
      throw uneditable(`"${path}" cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
        cause: error,
      })
    }
    try {
      if (fstatSync(fd).size > largestFileBytes) throw tooLarge(path)
      const bytes = readFileSync(fd)
      return { path, content: textOf(path, bytes), hash: hashOf(bytes) }
    } finally {
      closeSync(fd)
    }
  }

  const expect = (path: string, basedOn: string | undefined): void => {
    if (read(path).hash !== basedOn && basedOn !== undefined) throw changed(path)
  }

  return {
    list: () => listFiles(jobsDir),
    read,
    accept: path => void place(path),
    write: (path, content, basedOn) => {
      const full = place(path)
      const bytes = Buffer.from(content)
      if (bytes.byteLength > largestFileBytes) throw tooLarge(path)
      if (content.includes('\0')) throw uneditable('A text holds no zero bytes.')
      const there = lstatSync(full, { throwIfNoEntry: false })
      if (basedOn === null && there) throw fileExists(`"${path}" is there already. Open it to change it.`)
      if (typeof basedOn === 'string') {
        if (!there) throw changed(path)
        expect(path, basedOn)
      }
      mkdirSync(dirname(full), { recursive: true })
      // Made outside the repo, for a commit must not find it half written.
      const fresh = join(dir, `.save-${randomUUID()}`)
      try {
        writeFileSync(fresh, bytes, { flush: true })
        if (there) chmodSync(fresh, there.mode)
        renameSync(fresh, full)
      } finally {
        rmSync(fresh, { force: true })
      }
      return { path, content, hash: hashOf(bytes) }
    },
    remove: (path, basedOn) => {
      const full = place(path)
      if (!existsSync(full)) throw unknownFile(`The repo has no file "${path}".`)
      if (basedOn !== undefined) expect(path, basedOn)
      rmSync(full)
      dropEmptyFolders(jobsDir, path)
    },
    rename: (from, to, basedOn) => {
      const source = place(from)
      const target = place(to)
      if (!existsSync(source)) throw unknownFile(`The repo has no file "${from}".`)
      if (existsSync(target))
        throw fileExists(`"${to}" is there already. Choose another name, or delete it first.`)
      if (basedOn !== undefined) expect(from, basedOn)
      mkdirSync(dirname(target), { recursive: true })
      renameSync(source, target)
      dropEmptyFolders(jobsDir, from)
    },
  }
}

/** Git refuses what it takes for its own folder, on this system or another; packages are not edited by hand. */
export const isForbidden = (name: string) => isDotGit(name) || name.toLowerCase() === 'node_modules'

function checkPath(path: string): void {
  const refuse = (why: string) => refusedPath(`"${path.slice(0, longestPath)}" ${why}.`)
  if (path === '' || path.length > longestPath) {
    throw refuse(`must be a path of 1 to ${longestPath} characters, such as jobs/report.ts`)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(path)) throw refuse('must not hold backslashes or control characters')
  if (!path.isWellFormed()) throw refuse('must be text that UTF-8 can write')
  const parts = path.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..')) {
    throw refuse('must be relative to the repo, with plain names between its slashes')
  }
  if (parts.some(part => part !== part.trim() || Buffer.byteLength(part) > 255)) {
    throw refuse('has a name that is too long, or begins or ends with a space')
  }
  const hidden = parts.find(isForbidden)
  if (hidden === undefined) return
  if (/^(\.git|node_modules)$/i.test(hidden)) throw refuse(`lies in ${hidden}, which is not edited by hand`)
  throw refuse(`has the name ${JSON.stringify(hidden)}, which git takes for .git on some systems`)
}

function listFiles(jobsDir: string): { files: ListedFile[]; more: boolean } {
  const files: ListedFile[] = []
  let more = false
  const walk = (folder: string): void => {
    let entries: Dirent[]
    try {
      entries = readdirSync(join(jobsDir, folder), { withFileTypes: true })
    } catch {
      return
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (isForbidden(entry.name)) continue
      const path = posix.join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (files.length >= listedFiles) more = true
      else {
        const found = lstatSync(join(jobsDir, path), { throwIfNoEntry: false })
        if (!found) continue
        const editable = found.isFile() && found.size <= largestFileBytes
        files.push({ path, sizeBytes: found.size, modifiedAt: found.mtimeMs, editable })
      }
    }
  }
  walk('')
  return { files, more }
}

/** A folder that the last file has left is nothing that git would know. */
function dropEmptyFolders(jobsDir: string, path: string): void {
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
    try {
      rmdirSync(join(jobsDir, folder))
    } catch {
      return
    }
  }
}

function textOf(path: string, bytes: Uint8Array): string {
  try {
    if (bytes.includes(0)) throw new TypeError('zero byte')
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw uneditable(`"${path}" holds no text in UTF-8.`)
  }
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32)

const tooLarge = (path: string) =>
  fileTooLarge(`"${path}" would hold more than ${largestFileBytes / 1024} KiB. Use git for it.`)

const changed = (path: string) =>
  fileChanged(
    `"${path}" is not what it was when you opened it. Nothing was saved; look at both, then save again.`,
  )
