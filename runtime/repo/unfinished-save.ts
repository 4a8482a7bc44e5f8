import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const prefix = '.save-'

/** Where a file is written before it takes its place: in the volume and outside the repo, for a commit must not find half of it. */
export function unfinishedSave(volumeDir: string): string {
  return join(volumeDir, `${prefix}${randomUUID()}`)
}

/** Deletes what saves and uploads left behind when the runtime was killed amid them. For the start, before any save. */
export function clearUnfinishedSaves(volumeDir: string): void {
  for (const name of readdirSync(volumeDir)) {
    if (name.startsWith(prefix)) rmSync(join(volumeDir, name), { force: true, recursive: true })
  }
}
