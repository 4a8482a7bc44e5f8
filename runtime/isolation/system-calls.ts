import { dlopen } from 'node:ffi'

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
