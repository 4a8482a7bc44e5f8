import { accessSync, constants } from 'node:fs'
import { checkDisk } from '../../src/storage/disk.ts'
import type { Volume } from './contract.ts'

/** Throws if the volume can no longer be written, with the reason. */
export function checkVolume(volume: Volume): void {
  try {
    accessSync(volume.dir, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw new Error(`the volume cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
  checkDisk(volume.dir)
}
