import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { claimVolume, readVolumeIdentity } from '../../../src/storage/volume-identity.ts'
import type { VolumeFaultKind } from '../contract.ts'
import { DriverError } from '../driver.ts'
import type { Instance } from '../schema.ts'
import { type FileId, fileIdOf, insideFolder, statOf } from './folder.ts'

/** The folder of one instance's volume on the host. */
export function volumePath(dataRoot: string, subdomain: string): string {
  return join(dataRoot, subdomain)
}

/** What stands at a volume's place. */
export type VolumeSight = { kind: 'absent' } | ({ file: FileId } & Standing)

type Standing =
  /** A file, or a symbolic link. */
  | { kind: 'not-a-folder' }
  /** No instance has used it yet: it is empty, or holds a jobs repo that was cloned there beforehand. */
  | { kind: 'fresh'; names: readonly string[] }
  /** It holds an instance's data and does not say whose: an earlier version made it. */
  | { kind: 'unmarked' }
  /** It says whose it is; '' when that is not readable. */
  | { kind: 'marked'; id: string }

/** Looks at a volume's place. Throws when it cannot tell: unknown is not absent. */
export async function lookAtVolume(path: string): Promise<VolumeSight> {
  const stat = await statOf(path)
  if (!stat) return { kind: 'absent' }
  const file = fileIdOf(stat)
  if (!stat.isDirectory()) return { file, kind: 'not-a-folder' }
  const id = await readVolumeIdentity(path)
  if (id !== null) return { file, kind: 'marked', id }
  if (await statOf(join(path, 'longhouse.db'))) return { file, kind: 'unmarked' }
  return { file, kind: 'fresh', names: (await readdir(path)).sort() }
}

export interface VolumeFault {
  kind: VolumeFaultKind
  words: string
}

/**
 * Writes an instance's id into the volume that was seen. Returns false, with nothing written, when another folder has taken
 * its place, or it names another owner by now.
 */
export async function markVolume(path: string, instanceId: string, sight: VolumeSight): Promise<boolean> {
  if (sight.kind === 'absent') return false
  const seen = sight.kind === 'marked' ? sight.id : null
  const claimed = await insideFolder(path, sight.file, inside => claimVolume(inside, instanceId, seen))
  return claimed?.result ?? false
}

/**
 * An instance may not start on what stands in its volume's place, or a purge may not delete that. `permanent`: retrying does
 * not help, the volume has to come back.
 */
export class VolumeError extends DriverError {
  readonly fault: VolumeFault['kind']

  constructor({ kind, words }: VolumeFault, { permanent }: { permanent: boolean }) {
    super(words, { permanent })
    this.name = 'VolumeError'
    this.fault = kind
  }
}

/** What a record says about its volume. */
export type VolumeRecord = Pick<Instance, 'id' | 'readyAt' | 'volumeMarkedAt' | 'volumePermit' | 'removal'> &
  Partial<Pick<Instance, 'pendingCopyId'>>

/**
 * Returns why an instance may not start on what stands in its volume's place; null when it may. An instance that was ever
 * ready gets no new volume, and none gets another's, unless the operator allowed it.
 */
export function volumeFault(record: VolumeRecord, path: string, sight: VolumeSight): VolumeFault | null {
  const { id, readyAt, volumeMarkedAt, volumePermit } = record
  const foreign = (words: string): VolumeFault => ({ kind: 'foreign', words })
  switch (sight.kind) {
    case 'not-a-folder':
      return foreign(`${path} is not a folder; move it out of the way`)
    case 'marked':
      if (sight.id === id || volumePermit === 'adopt') return null
      return foreign(
        sight.id === ''
          ? `the volume at ${path} does not say readably whose it is`
          : `the volume at ${path} belongs to another instance, ${sight.id}; put this one’s own volume there`,
      )
    case 'unmarked':
      // Before volumes were marked, what stood in its place was its own.
      if (volumePermit === 'adopt' || volumeMarkedAt === null) return null
      return foreign(`the volume at ${path} does not say whose it is`)
    default: {
      if (record.pendingCopyId)
        return { kind: 'missing', words: 'its data are still to be restored from a backup' }
      if (readyAt === null || volumePermit === 'new') return null
      const folder =
        sight.kind === 'absent'
          ? ''
          : sight.names.length === 0
            ? '; an empty folder stands there'
            : '; a folder without it stands there'
      return { kind: 'missing', words: `its volume is missing at ${path}${folder}` }
    }
  }
}

/**
 * Returns what a removal remembers of a volume that the operator looked at and allowed to be deleted: which folder or file
 * it is, and whose it says it is. What takes its place later is not allowed.
 */
export function permitFor(sight: Exclude<VolumeSight, { kind: 'absent' }>): string {
  return sight.kind === 'marked' ? `${sight.file} ${sight.id}` : sight.file
}

/**
 * Returns why a purge does not delete what stands in the volume's place; null when that is positively the instance's own, or
 * there is nothing to lose.
 */
export function purgeFault(record: VolumeRecord, path: string, sight: VolumeSight): string | null {
  switch (sight.kind) {
    case 'absent':
      return null
    case 'not-a-folder':
      return `${path} is not a folder`
    case 'marked':
      if (sight.id === record.id) return null
      return sight.id === ''
        ? `the volume at ${path} does not say readably whose it is`
        : `the volume at ${path} says that it belongs to another instance, ${sight.id}`
    case 'unmarked':
      // Before volumes were marked, what stood at the place of one that was ready was its own.
      if (record.volumeMarkedAt === null && record.readyAt !== null) return null
      return `the volume at ${path} holds an instance's data and does not say whose it is`
    default: {
      const { names } = sight
      if (names.length === 0) return null
      const more = names.length > 3 ? ` and ${names.length - 3} more` : ''
      return `the folder at ${path} does not say whose it is; it holds ${names.slice(0, 3).join(', ')}${more}`
    }
  }
}
