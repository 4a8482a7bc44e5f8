import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const prefix = '.save-'

/**
 * Returns where to write a file before it takes its place: in the volume but outside the repo, so that no commit
 * contains half of it.
 */
export function unfinishedSave(volumeDir: string): string {
  return join(volumeDir, `${prefix}${randomUUID()}`)
}

/** Deletes unfinished saves and uploads of a killed runtime. Call it at the start, before any save. */
export function clearUnfinishedSaves(volumeDir: string): void {
  for (const name of readdirSync(volumeDir)) {
    if (name.startsWith(prefix)) rmSync(join(volumeDir, name), { force: true, recursive: true })
  }
}
