import { isUtf8 } from 'node:buffer'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { folderSize } from '../../../src/storage/folder-size.ts'
import type { Fleet } from '../records/fleet.ts'
import type { Instance } from '../schema.ts'
import { statOf } from '../volumes/folder.ts'
import { type VolumeSight, volumePath } from '../volumes/volume.ts'
import { type Orphan, orphanId } from './orphan.ts'

/** Folders that are looked into and measured; beyond these, only names are listed. */
const mostLookedAt = 100
const measureMs = 5000

/** What stands in the data root beside our own folder and what file systems make. Names that are not UTF-8 stand apart. */
export async function namesIn(dataRoot: string): Promise<{ names: string[]; unreadable: Buffer[] }> {
  const all = await readdir(dataRoot, { encoding: 'buffer' })
  const names = all.filter(isUtf8).map(name => name.toString())
  return {
    names: names.filter(name => !name.startsWith('.') && name !== 'lost+found').sort(),
    unreadable: all.filter(name => !isUtf8(name)),
  }
}

/** Folders with a name that no text can name, so nothing can be done about them here. */
export function unreadableFolders(names: readonly Buffer[]): Orphan[] {
  return names.map(bytes => {
    const name = Array.from(bytes, byte =>
      byte > 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('')
    return {
      ...{
        id: orphanId('folder', name, 'not UTF-8'),
        kind: 'folder',
        name,
        instanceId: null,
        running: false,
      },
      ...{ why: 'no record has this name, and it is not UTF-8', since: null, bytes: null, repair: null },
      advice: 'Give it another name on the host, and compare again.',
    }
  })
}

/** Folders in the data root that are no instance's volume by name. */
export async function strayFolders(
  fleet: Fleet,
  names: readonly string[],
  records: ReadonlyMap<string, Instance>,
): Promise<Orphan[]> {
  const taken = new Set(
    [...records.values()].flatMap(each => (each.purgedAt === null ? [each.subdomain] : [])),
  )
  const strays = names.filter(name => !taken.has(name))
  const found: Orphan[] = []
  const measuring = AbortSignal.timeout(measureMs)
  for (const [index, name] of strays.entries()) {
    const path = volumePath(fleet.site.dataRoot, name)
    const sight = index < mostLookedAt ? await fleet.lookAtVolume(path) : null
    if (sight?.kind === 'absent') continue
    const stat = sight && (await statOf(path))
    const size = sight ? await folderSize(path, measuring).catch(() => null) : null
    found.push({
      ...{ id: orphanId('folder', name, sight?.file ?? ''), kind: 'folder', name, running: false },
      ...{ since: stat ? Number(stat.mtimeMs) : null, bytes: size?.bytes ?? null },
      ...judged(sight, records),
    })
  }
  return found
}

/** What a folder says that it is, and what can be done about it. */
function judged(
  sight: VolumeSight | null,
  records: ReadonlyMap<string, Instance>,
): Pick<Orphan, 'instanceId' | 'why' | 'repair' | 'advice'> {
  const aside = {
    repair: 'set-aside' as const,
    advice: 'To use its data, provision an instance with this name and “adopt” the folder.',
  }
  const noRecord = 'no record has this name'
  if (sight === null || sight.kind === 'absent')
    return {
      instanceId: null,
      why: noRecord,
      repair: null,
      advice: 'Look at it once the others are dealt with.',
    }
  if (sight.kind === 'not-a-folder')
    return { instanceId: null, why: `${noRecord}, and it is not a folder`, ...aside, advice: '' }
  if (sight.kind === 'fresh')
    return { instanceId: null, why: `${noRecord}, and it holds no instance’s data`, ...aside }
  if (sight.kind === 'unmarked')
    return {
      instanceId: null,
      why: `${noRecord}; it holds an instance’s data and does not say whose`,
      ...aside,
    }
  const record = records.get(sight.id)
  const instanceId = sight.id === '' ? null : sight.id
  if (!record)
    return {
      instanceId,
      why: `${noRecord}; it is the volume of ${sight.id}, which no record knows`,
      ...aside,
    }
  if (record.purgedAt !== null)
    return {
      instanceId,
      why: `it is the volume of ${record.subdomain}, which was deleted for good`,
      ...aside,
    }
  return {
    instanceId,
    why: `it is the volume of ${record.subdomain}, and stands under another name`,
    repair: 'put-back',
    advice: `Only when ${record.subdomain} has nothing in its volume’s place.`,
  }
}

/** Instances whose volume is positively missing, and that nothing works on. */
export async function volumeless(
  fleet: Fleet,
  names: readonly string[],
  records: ReadonlyMap<string, Instance>,
  atWork: ReadonlySet<string>,
): Promise<Orphan[]> {
  const there = new Set(names)
  const found: Orphan[] = []
  for (const { id, subdomain, readyAt, purgedAt, pendingCopyId } of records.values()) {
    if (purgedAt !== null || readyAt === null || pendingCopyId !== null) continue
    if (there.has(subdomain) || atWork.has(id)) continue
    // Read since: a restore swaps volumes by renaming.
    if ((await statOf(join(fleet.site.dataRoot, subdomain))) !== null) continue
    found.push({
      ...{ id: orphanId('instance', subdomain, 'volume'), kind: 'instance', name: subdomain, instanceId: id },
      ...{ running: false, why: 'its volume is missing', since: null, bytes: null, repair: null },
      advice: 'Put the folder back, or restore a backup on its page.',
    })
  }
  return found
}
