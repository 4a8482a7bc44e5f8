import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

const dayMs = 24 * 60 * 60 * 1000

/** Deletes exports that are older than a month. */
export async function run() {
  const folder = join('data', 'exports')
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name))
    if (Date.now() - mtimeMs > 30 * dayMs) await rm(join(folder, name))
  }
}
