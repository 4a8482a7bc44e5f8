import type * as Ffi from 'node:ffi'
import { getSystemErrorName } from 'node:util'

/** Which project a file or folder counts for. */
export interface Project {
  /** 0 for none. */
  id: number
  /** What is made in this folder counts for the same project. */
  inherited: boolean
}

/** What a project takes and may take on one file system; 0 for no limit. */
export interface ProjectQuota {
  id: number
  bytes: number
  files: number
  limitBytes: number
  limitFiles: number
}

/** Whether a file system has project quotas: it stops writes by them, only counts, or knows none. */
export type QuotaState = 'enforced' | 'counted' | 'none'

/**
 * What Linux has for project quotas of XFS and ext4, by open files of the file system in question. Each throws an error with a `code`
 * such as EPERM when the system refuses.
 */
export interface ProjectQuotas {
  project(fd: number): Project
  setProject(fd: number, project: Project): void
  state(fd: number): QuotaState
  /** All projects with an id from `first` to `last` that the file system knows. */
  list(fd: number, first: number, last: number): ProjectQuota[]
  limit(fd: number, id: number, limits: { bytes: number; files: number }): void
}

/** `ioctl` and `quotactl_fd` by their numbers. */
const numbers: Partial<Record<NodeJS.Architecture, { ioctl: bigint; quotactl: bigint }>> = {
  x64: { ioctl: 16n, quotactl: 443n },
  arm64: { ioctl: 29n, quotactl: 443n },
}

/** `struct fsxattr` of linux/fs.h. */
const attributes = { bytes: 28, get: 0x801c581fn, set: 0x401c5820n, flagsAt: 0, projectAt: 12 }
const inheritFlag = 0x200

/** Of linux/quota.h and linux/dqblk_xfs.h, each with the type for projects. */
const forProjects = (command: bigint) => (command << 8n) | 2n
const command = {
  setQuota: forProjects(0x80_0008n),
  nextQuota: forProjects(0x80_0009n),
  state: forProjects(0x5805n),
}
/** `struct if_nextdqblk`, whose beginning is `struct if_dqblk`. */
const quota = { bytes: 72, limitAt: 0, usedAt: 16, limitFilesAt: 24, filesAt: 40, validAt: 64, idAt: 68 }
const bothLimits = 1 | 4
/** In which limits of the size are counted. */
const blockBytes = 1024
/** `struct fs_quota_stat`. */
const state = { bytes: 80, flagsAt: 2, counts: 0x10, enforces: 0x20 }

function loadFfi(): typeof Ffi | undefined {
  const { emitWarning } = process
  // Node warns that it is experimental, above what the command says.
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:ffi') as typeof Ffi | undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Null on systems other than Linux on these processors, and on a Node without `node:ffi`. */
export function openProjectQuotas(): ProjectQuotas | null {
  const call = numbers[process.arch]
  const ffi = loadFfi()
  if (process.platform !== 'linux' || !call || !ffi) return null
  const { functions } = ffi.dlopen(null, {
    syscall: { return: 'i64', arguments: ['i64', 'i64', 'i64', 'i64', 'i64'] },
    __errno_location: { return: 'pointer', arguments: [] },
  })
  const errno = new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false))
  const make = (number: bigint, name: string, args: readonly [bigint, bigint, bigint, bigint]): void => {
    if (functions.syscall(number, ...args) >= 0n) return
    const code = getSystemErrorName(-(errno[0] ?? 5))
    throw Object.assign(new Error(`${name}: ${code}`), { code, syscall: name })
  }
  const place = (bytes: number) => {
    const view = new DataView(new ArrayBuffer(bytes))
    return { view, at: ffi.getRawPointer(view.buffer as ArrayBuffer) }
  }
  // Reused: a volume may have a million files.
  const attribute = place(attributes.bytes)
  const readAttributes = (fd: number) =>
    make(call.ioctl, 'ioctl', [BigInt(fd), attributes.get, attribute.at, 0n])
  const number = (view: DataView, at: number) => Number(view.getBigUint64(at, true))

  return {
    project: fd => {
      readAttributes(fd)
      const { view } = attribute
      return {
        id: view.getUint32(attributes.projectAt, true),
        inherited: (view.getUint32(attributes.flagsAt, true) & inheritFlag) !== 0,
      }
    },
    setProject: (fd, { id, inherited }) => {
      readAttributes(fd)
      const { view, at } = attribute
      const others = view.getUint32(attributes.flagsAt, true) & ~inheritFlag
      view.setUint32(attributes.flagsAt, (others | (inherited ? inheritFlag : 0)) >>> 0, true)
      view.setUint32(attributes.projectAt, id, true)
      make(call.ioctl, 'ioctl', [BigInt(fd), attributes.set, at, 0n])
    },
    state: fd => {
      const { view, at } = place(state.bytes)
      try {
        make(call.quotactl, 'quotactl', [BigInt(fd), command.state, 0n, at])
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EPERM') throw error
        return 'none'
      }
      const flags = view.getUint16(state.flagsAt, true)
      if ((flags & state.enforces) !== 0) return 'enforced'
      return (flags & state.counts) !== 0 ? 'counted' : 'none'
    },
    list: (fd, first, last) => {
      const found: ProjectQuota[] = []
      const { view, at } = place(quota.bytes)
      for (let next = first; next <= last; ) {
        try {
          make(call.quotactl, 'quotactl', [BigInt(fd), command.nextQuota, BigInt(next), at])
        } catch (error) {
          if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) break
          throw error
        }
        const id = view.getUint32(quota.idAt, true)
        if (id < next || id > last) break
        found.push({
          id,
          bytes: number(view, quota.usedAt),
          files: number(view, quota.filesAt),
          limitBytes: number(view, quota.limitAt) * blockBytes,
          limitFiles: number(view, quota.limitFilesAt),
        })
        next = id + 1
      }
      return found
    },
    limit: (fd, id, { bytes, files }) => {
      const { view, at } = place(quota.bytes)
      view.setBigUint64(quota.limitAt, BigInt(Math.ceil(bytes / blockBytes)), true)
      view.setBigUint64(quota.limitFilesAt, BigInt(files), true)
      view.setUint32(quota.validAt, bothLimits, true)
      make(call.quotactl, 'quotactl', [BigInt(fd), command.setQuota, BigInt(id), at])
    },
  }
}
