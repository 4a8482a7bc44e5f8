import { createHmac } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { type TicketKeys, ticketKeys } from '../../src/sign-in/ticket.ts'
import type { Db } from '../../src/storage/database.ts'
import type { AuthService } from '../auth/contract.ts'
import type { ProvisionerService } from '../provisioner/contract.ts'
import type { RouteGate, RouterService } from '../router/contract.ts'
import type * as schema from './schema.ts'
import { gates } from './schema.ts'

export interface GateSetting {
  closed: boolean
  publicPaths: readonly string[]
}

/** The gates of all instances, and what the router has of them. */
export function createGates(parts: {
  db: Db<typeof schema>
  provisioner: Pick<ProvisionerService, 'byId' | 'changed'>
  router: Pick<RouterService, 'setRule'>
  sessionsOf: AuthService['sessionsOf']
  /** From which the keys of each instance's gate are derived. */
  key: Buffer
}) {
  const { db, provisioner, router, sessionsOf, key } = parts
  /** What the router has, by subdomain. */
  const given = new Map<string, string>()
  const rowOf = (instanceId: string) => db.select().from(gates).where(eq(gates.instanceId, instanceId)).get()
  const keysOf = (instanceId: string) =>
    ticketKeys(createHmac('sha256', key).update(`gate of ${instanceId}`).digest())

  const ruleOf = ({ instanceId, publicPaths, generation }: typeof gates.$inferSelect): RouteGate => {
    const accountId = provisioner.byId(instanceId)?.accountId ?? null
    return {
      ...{ publicPaths, generation, verifies: keysOf(instanceId).verifies },
      sessions:
        accountId === null
          ? []
          : sessionsOf(accountId)
              .map(({ id }) => id)
              .sort(),
    }
  }

  return {
    /** Open is what an instance is without a setting. */
    of: (instanceId: string): GateSetting => rowOf(instanceId) ?? { closed: false, publicPaths: [] },

    set({ id, subdomain }: { id: string; subdomain: string }, { closed, publicPaths }: GateSetting): void {
      db.transaction(tx => {
        const before = rowOf(id)
        const setting = { closed, publicPaths: [...publicPaths] }
        // Who was in before it was opened has to be let in again once it is closed.
        const generation = (before?.generation ?? 0) + (closed && !before?.closed ? 1 : 0)
        tx.insert(gates)
          .values({ instanceId: id, ...setting, generation })
          .onConflictDoUpdate({ target: gates.instanceId, set: { ...setting, generation } })
          .run()
        provisioner.changed({
          ...{ instanceId: id, subdomain, operationId: null, result: 'done' },
          change: closed ? 'close-gate' : 'open-gate',
          detail: publicPaths.length > 0 ? `public: ${publicPaths.join(' ')}` : '',
        })
      })
    },

    /** Another owner: the gate stays closed, and no one who was in is in any longer. */
    renew: (instanceId: string): void => {
      const row = rowOf(instanceId)
      if (row) {
        const generation = row.generation + 1
        db.update(gates).set({ generation }).where(eq(gates.instanceId, instanceId)).run()
      }
    },
    forget: (instanceId: string): void => {
      db.delete(gates).where(eq(gates.instanceId, instanceId)).run()
    },

    /** What signs tickets for an instance; null when its gate is open. */
    ticketOffice: (instanceId: string): { key: TicketKeys['signs']; generation: number } | null => {
      const row = rowOf(instanceId)
      return row?.closed ? { key: keysOf(instanceId).signs, generation: row.generation } : null
    },

    /** Brings the router up to date: with changed settings, and with who has signed in and out. */
    publish(): void {
      const wanted = new Map<string, RouteGate>()
      for (const row of db.select().from(gates).where(eq(gates.closed, true)).all()) {
        const instance = provisioner.byId(row.instanceId)
        if (instance) wanted.set(instance.subdomain, ruleOf(row))
      }
      for (const subdomain of [...given.keys(), ...wanted.keys()]) {
        const rule = wanted.get(subdomain) ?? null
        const text = JSON.stringify(rule)
        if ((given.get(subdomain) ?? 'null') === text) continue
        if (rule) given.set(subdomain, text)
        else given.delete(subdomain)
        router.setRule(subdomain, 'gate', rule)
      }
    },
  }
}

export type Gates = ReturnType<typeof createGates>
