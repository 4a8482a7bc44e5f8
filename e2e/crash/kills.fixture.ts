import fs, { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { watchEffects } from './effects.fixture.ts'

/** Where a program kills itself. */
export interface KillOrder {
  /** The points at which it, and programs before it, killed themselves: one a line. */
  file: string
  /** Effects on files in other folders are no points. */
  dataRoot: string
  /** Commits that touch tables with one of these beginnings are points. */
  tables: readonly string[]
  /** Whether effects on the world outside of the database are points, too. */
  effects: boolean
  /** How often the same point may be died at: once for each instance, say. */
  times: number
  /** At which points it dies, of so many that follow one another: at all of them with 1. */
  every: number
  turn: number
}

/**
 * Has this program kill itself with SIGKILL at the first point at which no program before it did. A point is an effect on the world
 * outside of the database, as it begins to be or has come about, and a commit, just before and just after it. As the program finds its points
 * itself, one life after another dies at each, until one comes to the end of the work.
 */
export class Kills {
  readonly #order: KillOrder
  readonly #died = new Map<string, number>()
  #armed = false
  #inTransaction = new Set<string>()

  constructor(order: KillOrder) {
    this.#order = order
    const lines = existsSync(order.file) ? readFileSync(order.file, 'utf8').split('\n').filter(Boolean) : []
    for (const line of lines) this.#count(line.replace(/^(passed|killed) /, ''))
  }

  /** From now on it dies. */
  arm(): void {
    this.#armed = true
  }

  #count(point: string): number {
    const times = (this.#died.get(point) ?? 0) + 1
    this.#died.set(point, times)
    return times
  }

  #point(point: string): void {
    if (!this.#armed || (this.#died.get(point) ?? 0) >= this.#order.times) return
    this.#count(point)
    const all = [...this.#died.values()].reduce((sum, each) => sum + each, 0)
    const { every, turn } = this.#order
    const passes = all % every !== turn % every
    const file = openSync(this.#order.file, 'a')
    writeSync(file, `${passes ? 'passed' : 'killed'} ${point}\n`)
    closeSync(file)
    if (!passes) process.kill(process.pid, 'SIGKILL')
  }

  /** Call it before anything else is imported. */
  watch(): void {
    if (this.#order.effects) this.#watchEffects()
    this.#watchCommits()
  }

  #watchEffects(): void {
    this.#watchFiles()
    watchEffects({
      begins: (what, { path } = {}) => {
        const place = path === undefined ? '' : this.#placeOf(path)
        if (place === null) return null
        if (path === undefined) this.#point(`${what}, begins`)
        return () => {
          this.#point(`${what}${place}, is done`)
          return false
        }
      },
      splits: () => this.#armed,
    })
  }

  #watchFiles(): void {
    const files = fs as unknown as Record<string, (...args: unknown[]) => unknown>
    for (const name of ['renameSync', 'mkdirSync', 'writeFileSync', 'rmSync']) {
      const run = files[name] as (...args: unknown[]) => unknown
      files[name] = (...args) => {
        const result = run(...args)
        const place = this.#placeOf(String(args[0]))
        if (place !== null) this.#point(`${name}${place}, is done`)
        return result
      }
    }
  }

  /** Where a file is in the data root, without what differs from life to life; null when it is elsewhere. */
  #placeOf(path: string): string | null {
    if (!path.startsWith(this.#order.dataRoot)) return null
    return ` ${path
      .slice(this.#order.dataRoot.length + 1)
      .replace(/[0-9a-z]{16,}/g, '…')
      .replace(/\d+/g, '0')}`
  }

  #watchCommits(): void {
    const memory = new Database(':memory:')
    const statements = Object.getPrototypeOf(memory.prepare('select 1')) as Record<
      string,
      (this: Database.Statement, ...args: unknown[]) => unknown
    >
    memory.close()
    const kills = this
    for (const name of ['run', 'get', 'all']) {
      const run = statements[name] as (this: Database.Statement, ...args: unknown[]) => unknown
      statements[name] = function (...args) {
        const { source, database } = this
        if (/^COMMIT/.test(source)) {
          const words = [...kills.#inTransaction].join(', ')
          kills.#inTransaction = new Set()
          if (words === '') return run.apply(this, args)
          kills.#point(`commit of ${words}, begins`)
          const result = run.apply(this, args)
          kills.#point(`commit of ${words}, is done`)
          return result
        }
        if (/^(BEGIN|ROLLBACK$)/.test(source)) kills.#inTransaction = new Set()
        const words = kills.#change(source, args)
        if (words === null) return run.apply(this, args)
        if (database.inTransaction) {
          const result = run.apply(this, args)
          kills.#inTransaction.add(words)
          return result
        }
        kills.#point(`${words}, begins`)
        const result = run.apply(this, args)
        kills.#point(`${words}, is done`)
        return result
      }
    }
  }

  /** What a statement changes, in words: the table, and the words among its parameters, such as a state. Null when that is not of interest. */
  #change(source: string, args: readonly unknown[]): string | null {
    const [, verb = '', table = ''] =
      /^\s*(insert into|insert or \w+ into|update|delete from)\s+"?(\w+)/i.exec(source) ?? []
    if (!this.#order.tables.some(each => table.startsWith(each))) return null
    const words = args.flat().filter(each => typeof each === 'string' && /^[a-z][a-z-]{2,29}$/.test(each))
    return [verb.split(' ')[0], table, ...words].join(' ')
  }
}
