import { eq } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Db } from '../../src/storage/database.ts'
import type { Seal } from '../../src/storage/seal.ts'
import { secretName, secretNameRule } from '../manifest/secret-names.ts'
import * as schema from './schema.ts'

export const longestSecret = 32 * 1024

export interface SecretInfo {
  name: string
  /** Null if a job declares it and it has not been set. */
  updatedAt: number | null
  /** False if it was sealed with a lost key: it has to be set again. */
  readable: boolean
  /** Ids of the jobs that declare it. */
  wantedBy: string[]
}

/** A job and the secrets it declares. */
export interface SecretUser {
  id: string
  /** The declared names. */
  secrets?: readonly string[]
}

/** The named secrets of the instance. Values leave it only by `reveal`. */
export interface Secrets {
  /** Lists secrets by name: those that are set, and those that only a job declares. */
  list(jobs: Iterable<SecretUser>): SecretInfo[]
  set(name: string, value: string): void
  /** Returns false if there was none. */
  remove(name: string): boolean
  /** Returns the values of the names that are set and readable, and the other names. */
  reveal(names: Iterable<string>): { values: Record<string, string>; missing: string[] }
}

export function openSecrets(options: { db: Db<typeof schema>; seal: Seal; clock: Clock }): Secrets {
  const { db, seal, clock } = options
  const { values } = schema
  const open = (row: typeof values.$inferSelect) => seal.open(row.sealed, `secret ${row.name}`)

  return {
    list: jobs => {
      const found = new Map<string, SecretInfo>()
      for (const row of db.select().from(values).all()) {
        const { name, updatedAt } = row
        found.set(name, { name, updatedAt, readable: open(row) !== null, wantedBy: [] })
      }
      for (const { id, secrets = [] } of jobs) {
        for (const name of secrets) {
          const info = found.get(name) ?? { name, updatedAt: null, readable: false, wantedBy: [] }
          info.wantedBy.push(id)
          found.set(name, info)
        }
      }
      return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    set: (name, value) => {
      if (!secretName.test(name)) throw new Error(`the name of a secret ${secretNameRule}`)
      const row = { name, sealed: seal.seal(value, `secret ${name}`), updatedAt: clock.now() }
      db.insert(values).values(row).onConflictDoUpdate({ target: values.name, set: row }).run()
    },
    remove: name => db.delete(values).where(eq(values.name, name)).run().changes > 0,
    reveal: names => {
      const wanted = new Set(names)
      const opened: Record<string, string> = {}
      for (const row of db.select().from(values).all()) {
        const value = wanted.has(row.name) ? open(row) : null
        if (value !== null) opened[row.name] = value
      }
      return { values: opened, missing: [...wanted].filter(name => !Object.hasOwn(opened, name)) }
    },
  }
}
