import {
  chmodSync,
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
} from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { tooLarge } from '../../src/http/problem.ts'
import type { Folders } from '../volume/contract.ts'
import { type RawFiles, type RepoFiles, uneditable, unknownFile, uploadLimitBytes } from './contract.ts'
import { refusedPath } from './file-path.ts'
import { fileExists, folderOf } from './files.ts'
import { openFolderAt, pathOf } from './folder.ts'
import { unfinishedSave } from './unfinished-save.ts'

export function openRawFiles(
  { dir, jobsDir }: Pick<Folders, 'dir' | 'jobsDir'>,
  files: Pick<RepoFiles, 'accept'>,
): RawFiles {
  return {
    refuseLong: announced => {
      if (Number(announced ?? 0) > uploadLimitBytes) throw fileTooLarge(uploadLimitBytes)
    },
    open: path => {
      files.accept(path)
      const fd = openRegular(jobsDir, path)
      const { size, mtimeNs, ino } = fstatSync(fd, { bigint: true })
      const close = () => closeSync(fd)
      const sizeBytes = Number(size)
      return {
        sizeBytes,
        modifiedAt: Number(mtimeNs / 1_000_000n),
        tag: `"${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}"`,
        read: range => {
          if (sizeBytes > 0) return createReadStream('', { fd, start: 0, end: sizeBytes - 1, ...range })
          return createReadStream('', { fd })
        },
        close,
      }
    },
    receive: async (path, body, limitBytes = uploadLimitBytes) => {
      files.accept(path)
      // Outside the repo, so that no commit contains half of it.
      const fresh = unfinishedSave(dir)
      const discard = () => rm(fresh, { force: true })
      try {
        await writeTo(fresh, body, limitBytes)
      } catch (error) {
        await discard()
        throw error
      }
      return { discard, place: ({ replace }) => place(jobsDir, { fresh, path, replace }) }
    },
  }

  function place(
    root: string,
    { fresh, path, replace }: { fresh: string; path: string; replace: boolean },
  ): void {
    files.accept(path)
    const opened = openFolderAt(root, folderOf(path), { make: true })
    if (!opened) throw refusedPath(`"${folderOf(path)}" is not a folder of the repo.`)
    const target = opened.entry(posix.basename(path))
    try {
      if (!replace && isThere(target)) {
        throw fileExists(
          `"${path}" exists already. Nothing was changed. To overwrite it, upload it again with “Replace” checked.`,
        )
      }
      const there = lstatSync(target, { throwIfNoEntry: false })
      // A script stays executable.
      if (there?.isFile()) chmodSync(fresh, there.mode & 0o777)
      renameSync(fresh, target)
    } finally {
      opened.close()
    }
  }
}

/** A pipe is opened without waiting for a writer, and a link is not opened at all. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

function openRegular(jobsDir: string, path: string): number {
  const full = join(realpathSync(jobsDir), path)
  let fd: number
  try {
    fd = openSync(full, flags)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') throw unknownFile(`The repo has no file "${path}".`)
    throw uneditable(`"${path}" cannot be read (${code}).`, { cause: error })
  }
  // A job may have replaced a folder on the way by a link.
  if (fstatSync(fd).isFile() && pathOf(fd, full) === full) return fd
  closeSync(fd)
  throw uneditable(`"${path}" is a link or a device, not a file.`)
}

function isThere(path: string): boolean {
  try {
    closeSync(openSync(path, flags))
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

async function writeTo(file: string, body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<void> {
  let handle: FileHandle | null = null
  try {
    handle = await open(file, 'wx', 0o644)
    let size = 0
    const chunks = body[Symbol.asyncIterator]()
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
      size += next.value.byteLength
      if (size > limitBytes) {
        // Ending the iteration would close the connection, and break the next request that a router sends on it.
        void discardRest(chunks).catch(() => {})
        throw fileTooLarge(limitBytes, { headers: { Connection: 'close' } })
      }
      await handle.writeFile(next.value)
    }
    await handle.sync()
  } finally {
    await handle?.close()
  }
}

function fileTooLarge(limitBytes: number, more: { headers?: Record<string, string> } = {}) {
  return tooLarge(`A file may hold at most ${limitBytes / 1024 / 1024} MiB here. Nothing was saved.`, more)
}

/** How much of a file that is too large is read and discarded, so that the client reads the response. */
const discardedBytes = 4 * 1024 * 1024

async function discardRest(chunks: AsyncIterator<Uint8Array>): Promise<void> {
  let size = 0
  for (let next = await chunks.next(); !next.done && size < discardedBytes; next = await chunks.next()) {
    size += next.value.byteLength
  }
  await chunks.return?.()
}
