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
const asPlace = 0x280000n
const notLinks = process.arch === 'arm64' ? 0x8000n : 0x20000n
/** Paths are relative to the working folder (`AT_FDCWD`). */
const fromHere = -100n

const option = { subreaper: 36n, noNewPrivileges: 38n }

interface Numbers {
  close: bigint
  fchmod: bigint
  fchown: bigint
  fdatasync: bigint
  fsync: bigint
  openat: bigint
  prctl: bigint
  symlinkat: bigint
  utimensat: bigint
}

/** The numbers of `asm-generic/unistd.h`, which processors have that are newer than Linux. */
const generic: Numbers = {
  close: 57n,
  fchmod: 52n,
  fchown: 55n,
  fdatasync: 83n,
  fsync: 82n,
  openat: 56n,
  prctl: 167n,
  symlinkat: 36n,
  utimensat: 88n,
}
const numbers: Partial<Record<string, Numbers>> = {
  arm64: generic,
  riscv64: generic,
  loong64: generic,
  x64: {
    close: 3n,
    fchmod: 91n,
    fchown: 93n,
    fdatasync: 75n,
    fsync: 74n,
    openat: 257n,
    prctl: 157n,
    symlinkat: 266n,
    utimensat: 280n,
  },
}

/** The most bytes of a path, with the one that ends it. */
const longestPath = 4096

interface Library {
  number: Numbers
  syscall(number: bigint, a: bigint, b?: bigint, c?: bigint, d?: bigint): bigint
  /** The number of the last error of this thread. */
  errno(): number
  /** The address of a path, valid until the next one is put into the same place; null if it is too long. */
  put(path: string, place?: 0 | 1): bigint | null
}

let opened: Library | null | undefined

/**
 * One function for all calls, by their numbers: Node makes code for each function that it takes from a library, which
 * takes longer than all the calls of a run. Paths lie at addresses that are known from the start, because none can be
 * asked for once `ffi` is dropped.
 */
function openLibrary(): Library | null {
  const number = numbers[process.arch]
  if (process.platform !== 'linux' || !number) return null
  try {
    const { functions } = dlopen(null, {
      // All five that a call here may have: `prctl` refuses what is not 0.
      syscall: { return: 'i64', arguments: ['i64', 'i64', 'i64', 'i64', 'i64', 'i64'] },
      __errno_location: { return: 'pointer', arguments: [] },
    })
    // It has one place in each thread.
    const errno = new Int32Array(toArrayBuffer(functions.__errno_location(), 4, false))
    const paths = [0, 1].map(() => {
      const bytes = Buffer.from(new ArrayBuffer(longestPath))
      return { bytes, at: getRawPointer(bytes.buffer) }
    }) as [Place, Place]
    return {
      number,
      syscall: (which, a, b = 0n, c = 0n, d = 0n) => functions.syscall(which, a, b, c, d, 0n),
      errno: () => errno[0] ?? 0,
      put: (path, place = 0) => {
        const { bytes, at } = paths[place]
        // A character has at most three bytes for each of its units.
        if (path.length * 3 >= longestPath && Buffer.byteLength(path) >= longestPath) return null
        bytes[bytes.write(path)] = 0
        return at
      },
    }
  } catch {
    return null
  }
}

interface Place {
  bytes: Buffer
  at: bigint
}

/** Null on systems other than Linux, on processors whose numbers are not known here, and if Node was built without it. */
export function openSystemCalls(): SystemCalls | null {
  if (opened === undefined) opened = openLibrary()
  if (!opened) return null
  const { number, syscall, put } = opened
  const set = (name: bigint) => syscall(number.prctl, name, 1n) === 0n
  return {
    call: (which, a, b, c) => syscall(which, a, b, c),
    openPlace: (path, { followLink }) => {
      const at = put(path)
      return at === null
        ? -1n
        : syscall(number.openat, fromHere, at, followLink ? asPlace : asPlace | notLinks)
    },
    close: place => {
      syscall(number.close, place)
    },
    forbidNewPrivileges: () => set(option.noNewPrivileges),
    adoptOrphans: () => set(option.subreaper),
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

const ioError = 5
const nameTooLong = 36

/** Null as for `openSystemCalls`. They keep working when `ffi` is dropped. */
export function openFileCalls(): FileCalls | null {
  if (opened === undefined) opened = openLibrary()
  if (!opened) return null
  const { number, syscall, errno, put } = opened
  const both = new BigInt64Array(4)
  const bothAt = getRawPointer(both.buffer)
  const ask = (which: bigint, a: bigint, b?: bigint, c?: bigint) =>
    syscall(which, a, b, c) === 0n ? 0 : errno() || ioError
  return {
    fsync: fd => ask(number.fsync, BigInt(fd)),
    fdatasync: fd => ask(number.fdatasync, BigInt(fd)),
    fchmod: (fd, mode) => ask(number.fchmod, BigInt(fd), BigInt(mode)),
    fchown: (fd, uid, gid) => ask(number.fchown, BigInt(fd), BigInt(uid >>> 0), BigInt(gid >>> 0)),
    futimens: (fd, times) => {
      both.set(times)
      return ask(number.utimensat, BigInt(fd), 0n, bothAt)
    },
    symlink: (target, path) => {
      const [to, at] = [put(target, 0), put(path, 1)]
      return to === null || at === null ? nameTooLong : ask(number.symlinkat, to, fromHere, at)
    },
  }
}
