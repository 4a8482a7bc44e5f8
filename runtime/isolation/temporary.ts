import { execFile } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { volumeMarkOf } from './marks.ts'
import { isWithin } from './reach.ts'

/** A folder for the temporary files of one process and of all that it starts. No other process of the volume reaches it. */
export interface TemporaryFolder {
  path: string
  /** Deletes it with all that it holds. Never rejects: what cannot be deleted now goes at the next start. */
  remove(): Promise<void>
}

/**
 * Makes one. On a full disk the folder is missing, and only what needs it fails: a run without temporary files still
 * runs.
 */
export function makeTemporary(volumeDir: string, name: string, root = rootOf(volumeDir)): TemporaryFolder {
  const path = makeFolder(root, name)
  return { path, remove: () => removeFolder(path) }
}

/** Deletes what a runtime that was killed left behind. Call it before the first folder is made. Never rejects. */
export async function clearTemporary(volumeDir: string): Promise<void> {
  const root = rootOf(volumeDir)
  await Promise.all(entriesOf(root).map(name => removeFolder(join(root, name))))
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function makeFolder(root: string, name: string): string {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 })
    return mkdtempSync(join(root, `${name}-`))
  } catch {
    return join(root, `${name}-missing`)
  }
}

/**
 * Where the folders of a volume lie: in the system's folder for temporary files, which in a container is memory, or in
 * the volume when that folder is missing, holds the volume itself, or has something of another user by our name.
 */
function rootOf(volumeDir: string): string {
  const inVolume = join(volumeDir, 'tmp')
  const system = existsSync(tmpdir()) ? realpathSync(tmpdir()) : null
  if (system === null || isWithin(volumeDir, system)) return inVolume
  const ours = join(system, `longhouse-${volumeMarkOf(volumeDir).replace(':', '-')}`)
  const found = lstatSync(ours, { throwIfNoEntry: false })
  const safe = !found || (found.isDirectory() && found.uid === process.getuid?.() && !(found.mode & 0o077))
  return safe ? ours : inVolume
}

async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch {
    // Folders that were closed to their owner, or nested deeper than a path may be long.
    await system('chmod', ['-R', 'u+rwX', path])
    await system('rm', ['-rf', '--one-file-system', path])
  }
}

function system(command: string, args: readonly string[]): Promise<void> {
  return new Promise(done => execFile(command, args, () => done()))
}
