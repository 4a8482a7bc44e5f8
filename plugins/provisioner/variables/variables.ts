import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { and, asc, eq } from 'drizzle-orm'
import { openSeal } from '../../../src/storage/seal.ts'
import type { ProvisionerDb } from '../records/instance.ts'
import type { SecretKeys } from '../records/secret-keys.ts'
import { variables } from '../schema.ts'

/** A variable as it is shown. */
interface ShownVariable {
  name: string
  secret: boolean
  /** Null for a secret, and for one that does not open. */
  value: string | null
  updatedAt: number
  updatedBy: string | null
}

/** Variables that the operator set for instances. Values are sealed under a key that no instance has. */
export interface Variables {
  /** By name. */
  list(instanceId: string): ShownVariable[]
  /** What its next container gets. One that does not open, because the key is another one now, is left out. */
  values(instanceId: string): Readonly<Record<string, string>>
  /** The values that are masked in its log. */
  secrets(instanceId: string): string[]
  /** Changes with each change of the variables; null for none. */
  digest(instanceId: string): string | null
  set(
    instanceId: string,
    name: string,
    content: { value: string; secret: boolean },
    by: { at: number; who: string | null },
  ): void
  /** False when there was none. */
  remove(instanceId: string, name: string): boolean
}

export function openVariables(db: ProvisionerDb, secretKeys: SecretKeys, control: string): Variables {
  const seal = openSeal({
    given: Buffer.from(secretKeys.of('the variables that operators set'), 'base64'),
    keyFile: join(control, 'variables-key'),
  })
  const purpose = (instanceId: string, name: string) => `variable ${name} of ${instanceId}`
  const rows = (instanceId: string) =>
    db.select().from(variables).where(eq(variables.instanceId, instanceId)).orderBy(asc(variables.name)).all()
  const opened = (instanceId: string) =>
    rows(instanceId).map(row => ({ ...row, value: seal.open(row.sealed, purpose(instanceId, row.name)) }))
  return {
    list: instanceId =>
      opened(instanceId).map(({ name, secret, value, updatedAt, updatedBy }) => ({
        ...{ name, secret, updatedAt, updatedBy },
        value: secret ? null : value,
      })),
    secrets: instanceId =>
      opened(instanceId).flatMap(({ secret, value }) => (secret && value !== null ? [value] : [])),
    values: instanceId =>
      Object.fromEntries(
        opened(instanceId).flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
      ),
    digest: instanceId => {
      const all = rows(instanceId)
      if (all.length === 0) return null
      // Of the sealed texts: a digest of values could be guessed.
      const text = JSON.stringify(all.map(({ name, sealed }) => [name, sealed]))
      return createHash('sha256').update(text).digest('hex').slice(0, 32)
    },
    set: (instanceId, name, { value, secret }, { at, who }) => {
      const sealed = seal.seal(value, purpose(instanceId, name))
      const set = { sealed, secret, updatedAt: at, updatedBy: who }
      db.insert(variables)
        .values({ instanceId, name, ...set })
        .onConflictDoUpdate({ target: [variables.instanceId, variables.name], set })
        .run()
    },
    remove: (instanceId, name) =>
      db
        .delete(variables)
        .where(and(eq(variables.instanceId, instanceId), eq(variables.name, name)))
        .run().changes > 0,
  }
}

/** Forgets all variables of an instance whose data were deleted. */
export function forgetVariables(db: ProvisionerDb, instanceId: string): void {
  db.delete(variables).where(eq(variables.instanceId, instanceId)).run()
}
