import { accessSync, constants, statfsSync } from 'node:fs'
import { checkDisk, isDiskFull } from '../../src/storage/disk.ts'
import { enforcedQuota } from '../../src/storage/disk-limit.ts'
import type { Volume } from './contract.ts'

/** Throws if the volume can no longer be written, with the reason: the disk has room where only the volume’s quota is used up. */
export function checkVolume(volume: Volume, limitBytes: number | null): void {
  try {
    accessSync(volume.dir, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw new Error(`the volume cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    checkDisk(volume.dir)
  } catch (error) {
    const bounded = isDiskFull(error) && enforcedQuota(statfsSync(volume.dir), limitBytes) !== null
    throw bounded ? new Error('the disk quota of the instance is used up', { cause: error }) : error
  }
}
