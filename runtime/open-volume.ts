import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BootError } from '../src/boot-error.ts'
import { holdLock, openSqlite } from '../src/storage/database.ts'
import { inWords } from '../src/storage/database-fault.ts'
import { readVolumeIdentity } from '../src/storage/volume-identity.ts'
import { takeNewDatabase } from './new-database.ts'
import type { Volume } from './volume/contract.ts'

/** A stopping runtime ends its runs first; the next one waits for that. */
const predecessorMs = 15_000

/**
 * Opens a volume for this process alone. Throws a BootError if it cannot be written, or if another runtime uses it:
 * two schedulers on one volume would run every job twice.
 */
export function openVolume(folder: string, { waitMs = predecessorMs } = {}): Volume {
  makeWritable(folder)
  // Source maps and processes use real paths.
  const dir = realpathSync(folder)
  const lock = holdLock(join(dir, 'longhouse.lock'), waitMs)
  if (!lock) {
    throw new BootError([`LONGHOUSE_DATA_DIR: another runtime is running on ${dir}; stop it first`])
  }
  const file = join(dir, 'longhouse.db')
  takeNewDatabase(file)
  const sqlite = inWords(file, 'LONGHOUSE_DATA_DIR', () => openSqlite(file))
  const volume: Volume = {
    dir,
    sqlite,
    jobsDir: join(dir, 'jobs'),
    buildsDir: join(dir, 'builds'),
    runsDir: join(dir, 'runs'),
    close: () => {
      sqlite.close()
      lock.release()
    },
  }
  mkdirSync(volume.buildsDir, { recursive: true })
  mkdirSync(volume.runsDir, { recursive: true })
  return volume
}

/** Throws a BootError unless the volume carries this instance's id: its disk may not be mounted. */
export async function refuseOtherVolume(dir: string, instanceId: string): Promise<void> {
  const id = await identityOf(dir)
  if (id === instanceId) return
  throw new BootError([
    `LONGHOUSE_DATA_DIR: ${dir} is not the volume of ${instanceId}: ${id ? `it says ${id}` : 'it does not say whose it is'}. Nothing was written. Is its disk mounted?`,
  ])
}

async function identityOf(dir: string): Promise<string | null> {
  try {
    return await readVolumeIdentity(dir)
  } catch (error) {
    throw new BootError([
      `LONGHOUSE_DATA_DIR: cannot read whose volume ${dir} is: ${(error as Error).message}`,
    ])
  }
}

function makeWritable(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true })
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const owner = existsSync(dir) ? `; it belongs to user ${statSync(dir).uid}` : ''
    const who = process.getuid ? `user ${process.getuid()}` : 'this user'
    throw new BootError([`LONGHOUSE_DATA_DIR: ${who} cannot write to ${dir} (${code})${owner}`])
  }
}
