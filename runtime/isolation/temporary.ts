import { execFile } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { volumeMarkOf } from './marks.ts'
import { isWithin } from './reach.ts'

/**
 * A folder for the temporary files of one process and everything it starts. No other process of the volume can reach
 * it.
 */
export interface TemporaryFolder {
  path: string
  /** Deletes it with its contents. Never rejects: what cannot be deleted now is deleted at the next start. */
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

/** Deletes what a killed runtime left behind. Call it before creating the first folder. Never rejects. */
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
 * The parent of a volume's temporary folders: the system's temporary folder, which is memory in a container, or the
 * volume if that folder is missing, contains the volume itself, or has another user's file with our name.
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
    // Folders without permissions, or nested deeper than the longest path.
    await system('chmod', ['-R', 'u+rwX', path])
    await system('rm', ['-rf', '--one-file-system', path])
  }
}

function system(command: string, args: readonly string[]): Promise<void> {
  return new Promise(done => execFile(command, args, () => done()))
}
