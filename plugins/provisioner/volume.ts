import { existsSync, lstatSync, renameSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder of one instance's volume on the host. */
export function volumePath(dataRoot: string, subdomain: string): string {
  return join(dataRoot, subdomain)
}

export type VolumeState = 'absent' | 'fresh' | 'lived-in' | 'foreign'

/**
 * What stands at a volume's place: nothing; a folder that no instance has booted on yet (such as a jobs repo that was
 * cloned there beforehand); one that an instance has kept its data in; or something that is no folder at all.
 */
export function volumeState(path: string): VolumeState {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return 'absent'
  if (!stat.isDirectory()) return 'foreign'
  return existsSync(join(path, 'longhouse.db')) ? 'lived-in' : 'fresh'
}

/**
 * Deletes a volume for good. It is renamed first, so that a half-deleted volume never stands where an instance would
 * find it; the remains of a purge that was cut short go with the next one.
 */
export async function purgeVolume(
  dataRoot: string,
  instance: { id: string; subdomain: string },
): Promise<void> {
  const trash = join(dataRoot, '.control', 'trash')
  await mkdir(trash, { recursive: true })
  const grave = join(trash, instance.id)
  const path = volumePath(dataRoot, instance.subdomain)
  await rm(grave, { recursive: true, force: true })
  if (lstatSync(path, { throwIfNoEntry: false })) renameSync(path, grave)
  await rm(grave, { recursive: true, force: true, maxRetries: 3 })
}
