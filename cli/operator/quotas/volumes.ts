import { closeSync, constants, fstatSync, openSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { type Quota, quotaOf } from '../../../src/storage/disk-limit.ts'
import type { ProjectQuota, ProjectQuotas } from '../../../src/storage/project-quota.ts'
import { readVolumeIdentity } from '../../../src/storage/volume-identity.ts'
import { CommandError } from '../../command/jobs-folder.ts'
import type { InstanceJson } from '../control/wire.ts'
import { countForProject } from './members.ts'

/** Projects of ours have these ids. Docker, the kubelet and people begin at 1, and others at 2^20. */
const ourIds = { first: 0x4c48_0000, last: 0x4c48_ffff }

/** How much a volume that is beyond its quota already may still grow, so that its instance can record why its runs ended. */
const roomBeyond = 64 * 1024 ** 2

export type VolumeState =
  /** The file system stops what it takes at its quota. */
  | 'enforced'
  /** It would be, and is not yet. */
  | 'to set'
  /** There is no limit, and no quota. */
  | 'no limit'
  /** Only the instance watches itself: `reason` says why. */
  | 'watched'

/** A volume beside its quota. */
export interface VolumeQuota {
  subdomain: string
  state: VolumeState
  /** Why it is only watched, or what is odd; null for nothing. */
  reason: string | null
  /** 0 for none. */
  project: number
  /** What its project takes; null while it has none. */
  usedBytes: number | null
  limitBytes: number | null
  /** What the file system enforces; null for nothing. */
  quota: Quota | null
}

export interface Surveyed {
  volumes: VolumeQuota[]
  /** Limits of volumes that are gone. */
  left: number
}

/** A volume's folder, open, and its project on its file system. */
interface Opened {
  instance: InstanceJson
  fd: number
  device: number
  project: number
}

/**
 * Compares the volumes of these instances with the quotas that their limits ask for, and sets them with `apply`. A volume keeps the
 * project that it has on its file system: nothing else remembers it. Volumes without a folder are left out.
 */
export async function surveyQuotas(
  quotas: ProjectQuotas,
  dataRoot: string,
  instances: readonly InstanceJson[],
  { apply }: { apply: boolean },
): Promise<Surveyed> {
  const root = openFolder(dataRoot)
  if (root === null) throw new CommandError(`${dataRoot} is not a folder`)
  const found: VolumeQuota[] = []
  const opened: Opened[] = []
  try {
    for (const instance of instances) {
      const fd = openFolder(join(dataRoot, instance.subdomain))
      if (fd === null) continue
      const device = fstatSync(fd).dev
      opened.push({ instance, fd, device, project: 0 })
      const path = join(dataRoot, instance.subdomain)
      const reason =
        (await strangeness(path, instance)) ??
        lackOf(quotas, fd, path) ??
        (device === fstatSync(root).dev ? enclosing(quotas, root, dataRoot) : null)
      if (reason === null) continue
      opened.pop()
      closeSync(fd)
      const { disk_bytes: limitBytes } = instance.limits
      const none = { project: 0, usedBytes: null, quota: null }
      found.push({
        ...{ subdomain: instance.subdomain, limitBytes, ...none },
        ...(limitBytes === null ? { state: 'no limit', reason: null } : { state: 'watched', reason }),
      })
    }
    let left = 0
    for (const some of Map.groupBy(opened, ({ device }) => device).values()) {
      const fs = new FileSystem(quotas, some)
      for (const each of some) found.push(fs.volume(each, apply))
      left += fs.clearLeft(apply)
    }
    return { volumes: found.sort((a, b) => (a.subdomain < b.subdomain ? -1 : 1)), left }
  } finally {
    for (const { fd } of opened) closeSync(fd)
    closeSync(root)
  }
}

/** The volumes on one file system. */
class FileSystem {
  #quotas: ProjectQuotas
  #fd: number
  /** Ours, by id, as they were in the beginning. */
  #known: Map<number, ProjectQuota>
  #taken = new Set<number>()

  constructor(quotas: ProjectQuotas, volumes: readonly Opened[]) {
    this.#quotas = quotas
    this.#fd = volumes[0]?.fd ?? -1
    this.#known = new Map(
      quotas.list(this.#fd, ourIds.first, ourIds.last).map(project => [project.id, project]),
    )
    for (const volume of volumes) {
      const { id } = quotas.project(volume.fd)
      if (!isOurs(id)) volume.project = id
      // Of two volumes with one project, one was copied with its attributes.
      else if (!this.#taken.has(id)) {
        volume.project = id
        this.#taken.add(id)
      }
    }
  }

  volume({ instance, fd, project }: Opened, apply: boolean): VolumeQuota {
    const { subdomain, limits } = instance
    const limitBytes = limits.disk_bytes
    const shown = { subdomain, limitBytes, project, reason: null }
    if (project !== 0 && !isOurs(project)) {
      const reason = `it belongs to project ${project}, which is not one of ours; chattr -R -p 0 ${subdomain} takes it out`
      return { ...shown, state: 'watched', reason, usedBytes: null, quota: null }
    }
    if (limitBytes === null && project === 0)
      return { ...shown, state: 'no limit', usedBytes: null, quota: null }
    const now = this.#known.get(project)
    const complete = project !== 0 && this.#quotas.project(fd).inherited
    if (apply) return this.#set({ ...shown, fd, complete })
    const wanted = wantedQuota(limitBytes, now)
    const isSet = complete && isQuota(now, wanted)
    return {
      ...shown,
      state: limitBytes === null ? 'no limit' : isSet ? 'enforced' : 'to set',
      usedBytes: now?.bytes ?? null,
      quota: complete && now && now.limitBytes > 0 ? limitsOf(now) : null,
    }
  }

  #set({
    fd,
    complete,
    project: before,
    subdomain,
    limitBytes,
  }: Pick<VolumeQuota, 'project' | 'subdomain' | 'limitBytes'> & {
    fd: number
    complete: boolean
  }): VolumeQuota {
    const project = before === 0 ? this.#freeId() : before
    const shown = { subdomain, limitBytes, project }
    if (!complete) {
      // While it gets its files, nothing may be too much for it.
      this.#quotas.limit(fd, project, { bytes: 0, files: 0 })
      try {
        countForProject(this.#quotas, fd, project)
      } catch (error) {
        const reason = `its files could not be counted for it: ${(error as Error).message}`
        return { ...shown, state: 'watched', reason, usedBytes: null, quota: null }
      }
    }
    const now = this.#look(project)
    const wanted = wantedQuota(limitBytes, now)
    if (!isQuota(now, wanted)) this.#quotas.limit(fd, project, wanted ?? { bytes: 0, files: 0 })
    const beyond = wanted !== null && limitBytes !== null && wanted.bytes !== quotaOf(limitBytes).bytes
    return {
      ...shown,
      state: limitBytes === null ? 'no limit' : 'enforced',
      reason: beyond ? 'it is beyond its quota, which goes down as it frees space' : null,
      usedBytes: now?.bytes ?? 0,
      quota: wanted,
    }
  }

  #look(id: number): ProjectQuota | undefined {
    return this.#quotas.list(this.#fd, id, id)[0]
  }

  /** One that nothing on this file system has, nor has a limit for. */
  #freeId(): number {
    for (let id = ourIds.first; id <= ourIds.last; id++) {
      if (this.#taken.has(id)) continue
      const known = this.#known.get(id)
      if (known && !isUnused(known)) continue
      this.#taken.add(id)
      return id
    }
    throw new CommandError('all projects that Longhouse uses are taken on this file system')
  }

  /** Takes away limits that no volume has any more; what a restore keeps of the one before still counts for its own. */
  clearLeft(apply: boolean): number {
    const gone = [...this.#known.values()].filter(
      ({ id, bytes, files, limitBytes }) =>
        !this.#taken.has(id) && bytes === 0 && files === 0 && limitBytes > 0,
    )
    if (apply) for (const { id } of gone) this.#quotas.limit(this.#fd, id, { bytes: 0, files: 0 })
    return gone.length
  }
}

/** Of a volume that takes more than its quota already, the quota only goes down. */
function wantedQuota(limitBytes: number | null, now: ProjectQuota | undefined): Quota | null {
  if (limitBytes === null) return null
  const quota = quotaOf(limitBytes)
  const used = now?.bytes ?? 0
  if (used <= quota.bytes) return quota
  const bytes = used + roomBeyond
  const bound = now && now.limitBytes >= used ? Math.min(now.limitBytes, bytes) : bytes
  return { ...quota, bytes: bound }
}

function isQuota(now: ProjectQuota | undefined, wanted: Quota | null): boolean {
  const { bytes, files } = wanted ?? { bytes: 0, files: 0 }
  return (now?.limitBytes ?? 0) === bytes && (now?.limitFiles ?? 0) === files
}

const limitsOf = ({ limitBytes, limitFiles }: ProjectQuota): Quota => ({
  bytes: limitBytes,
  files: limitFiles,
})

const isOurs = (id: number) => id >= ourIds.first && id <= ourIds.last

const isUnused = ({ bytes, files, limitBytes, limitFiles }: ProjectQuota) =>
  bytes + files + limitBytes + limitFiles === 0

async function strangeness(path: string, { id }: InstanceJson): Promise<string | null> {
  const mark = await readVolumeIdentity(path)
  if (mark === id) return null
  return mark === null
    ? `nothing in ${path} says that it is this instance’s volume yet`
    : `${path} is the volume of another instance`
}

/** `f_type` of statfs. */
const fileSystems: ReadonlyMap<number, string> = new Map([
  [0x5846_5342, 'XFS'],
  [0xef53, 'ext4'],
  [0x9123_683e, 'btrfs'],
  [0x794c_7630, 'overlay'],
  [0x0102_1994, 'tmpfs'],
  [0x2fc1_2fc1, 'ZFS'],
])

const howTo = {
  XFS: 'mount it with the option prjquota (for the system’s own disk, rootflags=prjquota for the kernel)',
  ext4: 'unmount it, run tune2fs -O project -Q prjquota on its device, and mount it with the option prjquota',
}

/** Why the file system of a folder enforces no quotas, and how to change that; null when it does. */
function lackOf(quotas: ProjectQuotas, fd: number, path: string): string | null {
  const state = quotas.state(fd)
  if (state === 'enforced') return null
  const { type: number } = statfsSync(path)
  const type = fileSystems.get(number)
  if (type === 'XFS' || type === 'ext4') {
    const what = state === 'counted' ? 'only counts' : 'is mounted without project quotas'
    return `the file system (${type}) ${what}: ${howTo[type]}`
  }
  return `the file system (${type ?? 'unknown'}) has no project quotas; XFS and ext4 do`
}

/** Restores move folders into the data root, which the system refuses where the data root hands down a project of its own. */
function enclosing(quotas: ProjectQuotas, root: number, dataRoot: string): string | null {
  const { id, inherited } = quotas.project(root)
  if (!inherited || id === 0) return null
  return `all of ${dataRoot} counts for project ${id} already; chattr -p 0 -P ${dataRoot} ends that`
}

function openFolder(path: string): number | null {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return null
    throw error
  }
}
