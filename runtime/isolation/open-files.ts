import fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { showToModules } from './esm-exports.ts'
import { changeFilePromises } from './file-promises.ts'
import { openFileCalls } from './system-calls.ts'

type Callback = (error: Error | null) => void
type Call = (...args: never[]) => void

/**
 * With permissions, Node closes every function that changes an open file by its number, and all that make links. Packages
 * that write files safely need them (`fsync` before a rename). From now on they work: a file that is open was checked when
 * it was opened, and links are made between places that a job can write. Call it before `ffi` is dropped.
 */
export function changeOpenFiles(): void {
  const system = process.permission ? openFileCalls() : null
  if (!system) return
  const { fstatSync, writeSync } = fs
  const nothing = Buffer.alloc(0)
  /** Throws for a number that is no open file, as Node does. */
  const open = (fd: number) => void fstatSync(fd)
  const openForWriting = (fd: number) => {
    open(fd)
    try {
      writeSync(fd, nothing)
    } catch {
      throw denied('jobs may change the mode, owner and times only of files that they opened for writing')
    }
  }
  const checked = (name: string, code: number) => {
    if (code === 0) return
    const [word, words] = getSystemErrorMap().get(-code) ?? ['EIO', 'i/o error']
    throw Object.assign(new Error(`${word}: ${words}, ${name}`), { code: word, errno: -code, syscall: name })
  }
  const calls = {
    fsync: (fd: number) => {
      open(fd)
      checked('fsync', system.fsync(fd))
    },
    fdatasync: (fd: number) => {
      open(fd)
      checked('fdatasync', system.fdatasync(fd))
    },
    fchmod: (fd: number, mode: number | string) => {
      openForWriting(fd)
      checked('fchmod', system.fchmod(fd, modeOf(mode)))
    },
    fchown: (fd: number, uid: number, gid: number) => {
      openForWriting(fd)
      checked('fchown', system.fchown(fd, whole('uid', uid), whole('gid', gid)))
    },
    futimes: (fd: number, atime: fs.TimeLike, mtime: fs.TimeLike) => {
      const times = [...timeOf('atime', atime), ...timeOf('mtime', mtime)]
      openForWriting(fd)
      checked('futimes', system.futimens(fd, times))
    },
    symlink: (target: fs.PathLike, path: fs.PathLike) => {
      const [to, at] = [textOf(target), textOf(path)]
      const place = resolve(at)
      for (const each of [place, resolve(dirname(place), to)])
        if (!process.permission.has('fs.write', each))
          throw denied(
            `jobs may not make the link ${at} to ${to}: a link and what it leads to lie in data/ of the jobs repo, or where os.tmpdir() says`,
          )
      checked('symlink', system.symlink(to, at))
    },
  }
  for (const [name, call] of Object.entries(calls) as [string, Call][]) offer(name, call)
  const { symlink } = calls
  changeFilePromises(promises => {
    replace(promises, 'symlink', async (target: fs.PathLike, path: fs.PathLike) => symlink(target, path))
    offerToHandles(promises, {
      sync: calls.fsync,
      datasync: calls.fdatasync,
      chmod: calls.fchmod,
      chown: calls.fchown,
      utimes: calls.futimes,
    })
  })
  showToModules()
}

/** Both forms that Node has: one returns when it is done, the other calls back. */
function offer(name: string, call: Call): void {
  replace(fs, `${name}Sync`, call)
  replace(fs, name, (...args: never[]) => {
    const callback = args.pop() as unknown as Callback
    if (typeof callback !== 'function') throw wrongType('callback', 'a function')
    let failure: Error | null = null
    try {
      call(...args)
    } catch (error) {
      failure = error as Error
    }
    process.nextTick(callback, failure)
  })
}

/**
 * Their class can be had only from one of them, so it is changed when a job opens the first, or before a call that
 * flushes one of its own. None is opened here: that would start Node's threads for files, and threads that start before
 * the process is restricted are not restricted.
 */
function offerToHandles(promises: typeof fs.promises, calls: Record<string, Call>): void {
  const { open, writeFile, appendFile } = promises
  let isOffered = false
  const offer = (handle: object) => {
    if (isOffered) return
    isOffered = true
    const prototype = Object.getPrototypeOf(handle) as object
    for (const [name, call] of Object.entries(calls))
      replace(prototype, name, async function (this: { fd: number }, ...args: never[]) {
        call(this.fd as never, ...args)
      })
  }
  const first = async () => {
    const handle = await open('/dev/null')
    offer(handle)
    await handle.close()
  }
  replace(promises, 'open', (...args: Parameters<typeof open>) =>
    open(...args).then(handle => {
      offer(handle)
      return handle
    }),
  )
  for (const write of [writeFile, appendFile])
    replace(promises, write.name, (...args: Parameters<typeof write>) => {
      const [, , options] = args
      const flushes = typeof options === 'object' && options !== null && 'flush' in options
      return flushes && !isOffered ? first().then(() => write(...args)) : write(...args)
    })
}

function replace(holder: object, name: string, by: (...args: never[]) => unknown): void {
  const original = Reflect.get(holder, name) as object
  Object.defineProperty(by, 'name', { value: name })
  Object.defineProperty(by, 'length', { value: Reflect.get(original, 'length') })
  Reflect.set(holder, name, by)
}

function denied(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_ACCESS_DENIED' })
}

function wrongType(name: string, right: string): TypeError {
  return Object.assign(new TypeError(`The "${name}" argument must be ${right}.`), {
    code: 'ERR_INVALID_ARG_TYPE',
  })
}

function whole(name: string, value: number): number {
  if (!Number.isInteger(value)) throw wrongType(name, 'a whole number')
  return value
}

function modeOf(mode: number | string): number {
  return whole('mode', typeof mode === 'string' ? Number.parseInt(mode, 8) : mode)
}

/** Seconds and nanoseconds. */
function timeOf(name: string, time: fs.TimeLike): [bigint, bigint] {
  const seconds = time instanceof Date ? time.getTime() / 1000 : Number(time)
  if (!Number.isFinite(seconds)) throw wrongType(name, 'a Date or a number of seconds')
  const whole = Math.floor(seconds)
  // Node rounds to microseconds, too.
  return [BigInt(whole), BigInt(Math.round((seconds - whole) * 1e6)) * 1000n]
}

function textOf(path: fs.PathLike): string {
  const text = path instanceof URL ? process.getBuiltinModule('node:url').fileURLToPath(path) : String(path)
  if (text === '' || text.includes('\0')) throw wrongType('path', 'a path')
  return text
}
