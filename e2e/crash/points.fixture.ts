import { AsyncLocalStorage } from 'node:async_hooks'
import childProcess from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { DriverError } from '../../plugins/provisioner/driver.ts'
import type { StepContext, StepRuns } from '../../plugins/provisioner/reconciler/step-context.ts'

/** What an instance's operation of one kind meets in one life of the program. */
export interface Trap {
  kind: string
  /** The point at which it is held for ever: the program is killed meanwhile. */
  holdAt?: string
  /** The step that fails once it has done its work. */
  failAfter?: string
}

/** What the program reports: each point that an operation passes, and those at which it is held. */
export interface Passed {
  subdomain: string
  point: string
  held: boolean
}

interface Place {
  subdomain: string
  kind: string
  step: string
  effects: number
  /** Effects of which there may be as many as the volume has files: only the first one is a point. */
  seen: Set<string>
}

/**
 * Everything that a step does to the world outside of the database is a point at which the program may be killed: a file that is
 * moved, a program that has ended, a request that the engine has carried out. They are found where Node offers them, so a step that does
 * something new has its points without a change here.
 */
export class Points {
  readonly #at = new AsyncLocalStorage<Place>()
  readonly #held = new Set<string>()
  /** Keeps what is held reachable: the garbage collector would take its open files, and Node ends the program for that. */
  readonly #kept: unknown[] = []
  readonly #traps: () => Readonly<Record<string, Trap>>
  readonly #passed: (passed: Passed) => void

  constructor(traps: () => Readonly<Record<string, Trap>>, passed: (passed: Passed) => void) {
    this.#traps = traps
    this.#passed = passed
  }

  /** The steps with a point before and after each. */
  around(runs: StepRuns): StepRuns {
    const wrapped = Object.entries(runs).map(([name, run]) => [name, this.#step(name, run)] as const)
    return Object.fromEntries(wrapped) as unknown as StepRuns
  }

  #step(name: string, run: StepRuns[keyof StepRuns]) {
    return async (context: StepContext): Promise<string | undefined> => {
      const { subdomain } = context.spec
      const step = `${context.undoing ? 'undo: ' : ''}${name}`
      const { kind } = context.operation
      const place: Place = { subdomain, kind, step, effects: 0, seen: new Set() }
      await this.#point(place, 'begins')
      const words = await this.#at.run(place, () => run(context))
      await this.#point(place, 'has done its work')
      const trap = this.#traps()[subdomain]
      if (trap?.kind === kind && trap.failAfter === step)
        throw new DriverError('the test has it fail', { permanent: true })
      return words
    }
  }

  async #point(place: Place, what: string): Promise<void> {
    if (this.#isHeld(place, what)) await new Promise(resolve => this.#kept.push(resolve))
  }

  #isHeld({ subdomain, kind, step }: Place, what: string): boolean {
    if (this.#held.has(subdomain)) return true
    const point = `${step}, ${what}`
    const trap = this.#traps()[subdomain]
    const held = trap?.kind === kind && trap.holdAt === point
    if (held) this.#held.add(subdomain)
    this.#passed({ subdomain, point, held })
    return held
  }

  /** Names an effect of the step in progress; null outside of steps, and for further ones of a kind that there may be many of. */
  #effect(what: string, { many = false } = {}): { place: Place; what: string } | null {
    const place = this.#at.getStore()
    if (!place || (many && place.seen.has(what))) return null
    place.seen.add(what)
    place.effects++
    return { place, what: `effect ${place.effects}: ${what}` }
  }

  /** Has Node report what steps do. Call it before anything else is imported. */
  watch(): void {
    this.#watchFiles()
    this.#watchPrograms()
    this.#watchEngine()
    syncBuiltinESMExports()
  }

  #watchFiles(): void {
    const real = { ...fs.promises }
    const files = fs.promises as unknown as Record<string, (...args: never[]) => Promise<unknown>>
    const watchOne = (name: 'rename' | 'mkdir' | 'writeFile' | 'copyFile' | 'link' | 'symlink' | 'rmdir') => {
      const run = real[name] as (...args: unknown[]) => Promise<unknown>
      const many = ['copyFile', 'link', 'symlink', 'mkdir', 'rmdir'].includes(name)
      files[name] = async (...args: unknown[]) => {
        const result = await run(...args)
        const effect = this.#effect(name, { many })
        if (effect) await this.#point(effect.place, effect.what)
        return result
      }
    }
    for (const name of ['rename', 'mkdir', 'writeFile', 'copyFile', 'link', 'symlink', 'rmdir'] as const)
      watchOne(name)
    // One entry after another, so that a folder is also half deleted.
    fs.promises.rm = async (path, options) => {
      const entries =
        this.#at.getStore() && options?.recursive
          ? await real.readdir(String(path)).catch(() => [] as string[])
          : []
      for (const entry of entries) {
        await real.rm(join(String(path), entry), options)
        const effect = this.#effect('a part of a folder is deleted')
        if (effect) await this.#point(effect.place, effect.what)
      }
      await real.rm(path, options)
      const effect = this.#effect('rm', { many: entries.length === 0 })
      if (effect) await this.#point(effect.place, effect.what)
    }
  }

  #watchPrograms(): void {
    const { spawn } = childProcess
    childProcess.spawn = ((...args: Parameters<typeof spawn>) => {
      const child = spawn(...args)
      const words = [args[0], ...(Array.isArray(args[1]) ? args[1] : [])].join(' ')
      const named = /\brestic (\w+)/.exec(words)?.[0] ?? /copy\.js (\w+)/.exec(words)?.[0]
      if (named) this.#holdEmitter(child, ['exit', 'close'], named)
      return child
    }) as typeof spawn
  }

  #watchEngine(): void {
    const { request } = http
    http.request = ((...args: Parameters<typeof request>) => {
      const sent = request(...args)
      const { socketPath, method = 'GET', path } = (args[0] ?? {}) as http.RequestOptions
      const named = `${method} ${(path ?? '').replace(/\?.*/, '').replace(/[0-9a-f]{64}|longhouse-[\w.-]+/g, '…')}`
      if (socketPath && method !== 'GET') this.#holdEmitter(sent, ['response', 'error', 'close'], named)
      return sent
    }) as typeof request
  }

  /** Swallows what an emitter says from the moment on at which its operation is held. */
  #holdEmitter(emitter: NodeJS.EventEmitter, names: readonly string[], what: string): void {
    const place = this.#at.getStore()
    if (!place) return
    const effect = this.#effect(what)
    if (!effect) return
    const emit = emitter.emit.bind(emitter)
    let held: boolean | null = null
    emitter.emit = (name: string | symbol, ...args: unknown[]) => {
      if (!names.includes(String(name))) return emit(name, ...args)
      held ??= this.#isHeld(effect.place, effect.what)
      if (!held) return emit(name, ...args)
      this.#kept.push(emitter)
      return false
    }
  }
}
