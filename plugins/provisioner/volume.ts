import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readVolumeIdentity } from '../../src/volume-identity.ts'
import type { Instance, volumeFaults } from './schema.ts'

/** The folder of one instance's volume on the host. */
export function volumePath(dataRoot: string, subdomain: string): string {
  return join(dataRoot, subdomain)
}

/** What stands at a volume's place. */
export type VolumeSight =
  | { kind: 'absent' }
  /** A file, or a symbolic link. */
  | { kind: 'not-a-folder' }
  /** No instance has lived in it yet: empty, or a jobs repo that was cloned there beforehand. */
  | { kind: 'fresh'; empty: boolean }
  /** An instance keeps its data in it, and it does not say which one: an earlier version made it. */
  | { kind: 'unmarked' }
  /** It says whose it is; '' when that cannot be made out. */
  | { kind: 'marked'; id: string }

/** Looks at a volume's place. Throws when that cannot be done: what is not known is not absent. */
export function lookAtVolume(path: string): VolumeSight {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return { kind: 'absent' }
  if (!stat.isDirectory()) return { kind: 'not-a-folder' }
  const id = readVolumeIdentity(path)
  if (id !== null) return { kind: 'marked', id }
  if (lstatSync(join(path, 'longhouse.db'), { throwIfNoEntry: false })) return { kind: 'unmarked' }
  return { kind: 'fresh', empty: readdirSync(path).length === 0 }
}

export interface VolumeFault {
  kind: (typeof volumeFaults)[number]
  words: string
}

/** What a record says about its volume. */
export type VolumeRecord = Pick<Instance, 'id' | 'readyAt' | 'volumeMarkedAt' | 'volumePermit'>

/**
 * Why an instance may not start on what stands at its volume's place; null when it may. One that was ever ready gets no
 * new volume, and no instance gets another's, unless the operator said so.
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
      // Before volumes were marked, what stood at its place was its own.
      if (volumePermit === 'adopt' || volumeMarkedAt === null) return null
      return foreign(`the volume at ${path} does not say whose it is`)
    default: {
      if (readyAt === null || volumePermit === 'new') return null
      const folder =
        sight.kind === 'absent'
          ? ''
          : sight.empty
            ? '; an empty folder stands there'
            : '; a folder without it stands there'
      return { kind: 'missing', words: `its volume is missing at ${path}${folder}` }
    }
  }
}
