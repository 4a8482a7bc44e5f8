import { dlopen, getRawPointer, toArrayBuffer } from 'node:ffi'

/** System calls that Node has no function for. */
export interface SystemCalls {
  /** Makes a call by its number; negative if it is refused. */
  call(number: bigint, a: bigint, b: bigint, c: bigint): bigint
  /** Opens a handle on a place in the file system, regardless of permissions; negative if it does not exist. */
  openPlace(path: string, options: { followLink: boolean }): bigint
  close(place: bigint): void
  /** Keeps programs started from now on from gaining privileges. */
  forbidNewPrivileges(): boolean
  /** Makes this process the parent of its orphaned descendants. */
  adoptOrphans(): boolean
}

/** `O_PATH | O_CLOEXEC`, and `O_NOFOLLOW`, the same on every processor but for the last. */
const asPlace = 0x280000
const notLinks = process.arch === 'arm64' ? 0x8000 : 0x20000

const option = { subreaper: 36, noNewPrivileges: 38 }

/** Null on systems other than Linux, and if Node was built without it. */
export function openSystemCalls(): SystemCalls | null {
  if (process.platform !== 'linux') return null
  try {
    const { functions } = dlopen(null, {
      syscall: { return: 'i64', arguments: ['i64', 'i64', 'i64', 'i64', 'i64'] },
      open: { return: 'i32', arguments: ['pointer', 'i32'] },
      close: { return: 'i32', arguments: ['i32'] },
      prctl: { return: 'i32', arguments: ['i32', 'u64', 'u64', 'u64', 'u64'] },
    })
    const set = (name: number) => functions.prctl(name, 1n, 0n, 0n, 0n) === 0
    return {
      call: (number, a, b, c) => functions.syscall(number, a, b, c, 0n),
      openPlace: (path, { followLink }) =>
        BigInt(functions.open(path, followLink ? asPlace : asPlace | notLinks)),
      close: place => {
        functions.close(Number(place))
      },
      forbidNewPrivileges: () => set(option.noNewPrivileges),
      adoptOrphans: () => set(option.subreaper),
    }
  } catch {
    return null
  }
}

/** What Node closes to a process with permissions. Each answers 0, or the number of the error. */
export interface FileCalls {
  fsync(fd: number): number
  fdatasync(fd: number): number
  fchmod(fd: number, mode: number): number
  fchown(fd: number, uid: number, gid: number): number
  /** Seconds and nanoseconds of the last access, then of the last change. */
  futimens(fd: number, times: readonly bigint[]): number
  symlink(target: string, path: string): number
}

/** Null as for `openSystemCalls`. They keep working when `ffi` is dropped. */
export function openFileCalls(): FileCalls | null {
  if (process.platform !== 'linux') return null
  try {
    const { functions } = dlopen(null, {
      fsync: { return: 'i32', arguments: ['i32'] },
      fdatasync: { return: 'i32', arguments: ['i32'] },
      fchmod: { return: 'i32', arguments: ['i32', 'u32'] },
      fchown: { return: 'i32', arguments: ['i32', 'u32', 'u32'] },
      futimens: { return: 'i32', arguments: ['i32', 'pointer'] },
      symlink: { return: 'i32', arguments: ['pointer', 'pointer'] },
      __errno_location: { return: 'pointer', arguments: [] },
    })
    // It has one place in each thread.
    const errno = new Int32Array(toArrayBuffer(functions.__errno_location(), 4, false))
    // What is handed over by address lies at one place, because no address can be asked for later.
    const both = new BigInt64Array(4)
    const bothAt = getRawPointer(both.buffer)
    const fault = (answer: number) => (answer === 0 ? 0 : (errno[0] ?? 0) || 5)
    return {
      fsync: fd => fault(functions.fsync(fd)),
      fdatasync: fd => fault(functions.fdatasync(fd)),
      fchmod: (fd, mode) => fault(functions.fchmod(fd, mode)),
      fchown: (fd, uid, gid) => fault(functions.fchown(fd, uid >>> 0, gid >>> 0)),
      futimens: (fd, times) => {
        both.set(times)
        return fault(functions.futimens(fd, bothAt))
      },
      symlink: (target, path) => fault(functions.symlink(target, path)),
    }
  } catch {
    return null
  }
}
