import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { dirname } from 'node:path'
import { carefulFs } from './careful-fs.ts'
import { withoutObsolete } from './obsolete-packs.ts'

/**
 * The file system for isomorphic-git. A file is written completely or not at all, even when a process is killed, and
 * only regular files are read.
 */
export const atomicFs = {
  promises: {
    ...fs.promises,
    readFile: carefulFs.promises.readFile,
    readdir: async (folder: string) => withoutObsolete(folder, await fs.promises.readdir(folder)),
    writeFile,
  },
}

async function writeFile(
  file: string,
  data: string | Uint8Array,
  options?: { mode?: number } | BufferEncoding,
): Promise<void> {
  const draft = `${file}.${randomUUID().slice(0, 8)}.tmp`
  const mode = typeof options === 'object' ? options?.mode : undefined
  try {
    const handle = await fs.promises.open(draft, 'wx', mode)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.promises.rename(draft, file)
  } catch (error) {
    await fs.promises.rm(draft, { force: true }).catch(() => {})
    throw error
  }
}

/** Synchronous variant, for writes that nothing may interrupt. */
export function writeWhole(file: string, data: string | Uint8Array, mode = 0o666): void {
  const draft = `${file}.${randomUUID().slice(0, 8)}.tmp`
  fs.mkdirSync(dirname(file), { recursive: true })
  const handle = fs.openSync(draft, 'wx', mode)
  try {
    fs.writeFileSync(handle, data)
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
  fs.renameSync(draft, file)
}
