import childProcess from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'

/** What watches the effects of a program on the world outside of its database. */
export interface Watcher {
  /**
   * An effect begins. With `many` there may be as many as a volume has files, and only the first is of interest; `path` is what a file
   * is moved, made or deleted at. Returns null for what is not watched; otherwise a function to call once it has come about, which
   * returns true when the program must no longer hear of it.
   */
  begins(what: string, options?: { many?: boolean; path?: string }): (() => boolean) | null
  /** Whether a recursive deletion is made one entry after another, so that a folder is also half deleted. */
  splits(): boolean
}

/** Keeps what is held reachable: the garbage collector would take its open files, and Node ends the program for that. */
const kept: unknown[] = []

/** Never settles. */
export const forever = () => new Promise<never>(resolve => kept.push(resolve))

/** Has Node report what the program does. Call it before anything else is imported. */
export function watchEffects(watcher: Watcher): void {
  watchFiles(watcher)
  watchPrograms(watcher)
  watchEngine(watcher)
  syncBuiltinESMExports()
}

function watchFiles({ begins, splits }: Watcher): void {
  const real = { ...fs.promises }
  const files = fs.promises as unknown as Record<string, (...args: never[]) => Promise<unknown>>
  for (const name of ['rename', 'mkdir', 'writeFile', 'copyFile', 'link', 'symlink', 'rmdir'] as const) {
    const run = real[name] as (...args: unknown[]) => Promise<unknown>
    const many = ['copyFile', 'link', 'symlink', 'mkdir', 'rmdir'].includes(name)
    files[name] = async (...args: unknown[]) => {
      const result = await run(...args)
      if (begins(name, { many, path: String(args[0]) })?.()) await forever()
      return result
    }
  }
  fs.promises.rm = async (path, options) => {
    const entries =
      splits() && options?.recursive ? await real.readdir(String(path)).catch(() => [] as string[]) : []
    for (const entry of entries) {
      await real.rm(join(String(path), entry), options)
      if (begins('a part of a folder is deleted', { path: String(path) })?.()) await forever()
    }
    await real.rm(path, options)
    if (begins('rm', { many: entries.length === 0, path: String(path) })?.()) await forever()
  }
}

function watchPrograms({ begins }: Watcher): void {
  const { spawn } = childProcess
  childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
    const child = spawn(...args)
    const words = [args[0], ...(Array.isArray(args[1]) ? args[1] : [])].join(' ')
    const named = /\brestic (\w+)/.exec(words)?.[0] ?? /copy\.js (\w+)/.exec(words)?.[0]
    const happened = named && begins(named)
    if (happened) holdEmitter(child, ['exit', 'close'], happened)
    return child
  }) as typeof spawn
}

function watchEngine({ begins }: Watcher): void {
  const { request } = http
  http.request = ((...args: Parameters<typeof request>) => {
    const sent = request(...args)
    const { socketPath, method = 'GET', path } = (args[0] ?? {}) as http.RequestOptions
    const named = `${method} ${(path ?? '').replace(/\?.*/, '').replace(/[0-9a-f]{64}|longhouse-[\w.-]+/g, '…')}`
    const happened = socketPath && method !== 'GET' && begins(named)
    if (happened) holdEmitter(sent, ['response', 'error', 'close'], happened)
    return sent
  }) as typeof request
}

/** Swallows what an emitter says from the moment on at which the program must no longer hear of it. */
function holdEmitter(emitter: NodeJS.EventEmitter, names: readonly string[], happened: () => boolean): void {
  const emit = emitter.emit.bind(emitter)
  let held: boolean | null = null
  emitter.emit = (name: string | symbol, ...args: unknown[]) => {
    if (!names.includes(String(name))) return emit(name, ...args)
    held ??= happened()
    if (!held) return emit(name, ...args)
    kept.push(emitter)
    return false
  }
}
