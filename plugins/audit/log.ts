import { setImmediate as nextTurn } from 'node:timers/promises'
import { and, asc, desc, eq, gt, gte, lt, or, type SQL, sql } from 'drizzle-orm'
import { currentOccasion, type Principal } from '../../src/acting.ts'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import type { Db } from '../../src/storage/database.ts'
import { beginning, ChainCheck, hashOf, type Verification } from './chain.ts'
import type { AuditEntry } from './contract.ts'
import type * as schema from './schema.ts'
import { entries } from './schema.ts'

/** What a caller says of an entry. The rest comes from the occasion. */
export type NewEntry = Pick<AuditEntry, 'action' | 'target' | 'result'> &
  Partial<Pick<AuditEntry, 'instanceId' | 'operationId' | 'status' | 'detail' | 'principal' | 'via'>>

export interface AuditFilter {
  /** A subdomain or an instance's id. */
  instance?: string | undefined
  /** The kind, id or name of who acted. */
  actor?: string | undefined
  action?: string | undefined
  from?: number | undefined
  to?: number | undefined
}

/** At the most so many entries are read at a time: requests are answered in between. */
const batch = 500

/** Who acts outside of requests and tasks: at the start. */
const program: Principal = { kind: 'timer', id: 'control-plane', name: 'the control plane' }

/** The audit log: append-only, each entry with the hash of the one before. */
export function openAuditLog(db: Db<typeof schema>, clock: Clock, log: Logger) {
  const read = (where: SQL | undefined, order: SQL, limit: number): AuditEntry[] =>
    db.select().from(entries).where(where).orderBy(order).limit(limit).all().map(fromRow)

  /** One log line for each entry, once it is there to stay: its transaction may still be rolled back. */
  const announce = ({ seq, hash, principal: { kind, id, name }, ...entry }: AuditEntry) => {
    const { address, action, via, target, result, status, operationId, requestId } = entry
    const kept = db.select({ hash: entries.hash }).from(entries).where(eq(entries.seq, seq)).get()
    if (kept?.hash !== hash) return
    log.info(
      {
        ...{ seq, actor: { kind, id, name }, action, via, target, result, status, address, hash },
        ...{ operation: operationId, request_id: requestId },
      },
      'audit',
    )
  }

  return {
    /** Adds an entry, in the transaction at hand if there is one. */
    record(entry: NewEntry): void {
      const occasion = currentOccasion()
      const last = db
        .select({ seq: entries.seq, hash: entries.hash })
        .from(entries)
        .orderBy(desc(entries.seq))
        .limit(1)
        .get()
      const own = entry.principal !== undefined
      const complete = {
        seq: (last?.seq ?? 0) + 1,
        at: clock.now(),
        principal: entry.principal ?? occasion?.principal() ?? program,
        address: own ? null : (occasion?.address ?? null),
        action: entry.action,
        via: entry.via ?? occasion?.via ?? 'control plane',
        target: entry.target,
        instanceId: entry.instanceId ?? null,
        operationId: entry.operationId ?? null,
        result: entry.result,
        status: entry.status ?? null,
        detail: (entry.detail ?? '').slice(0, 2000),
        requestId: own ? null : (occasion?.requestId ?? null),
        previousHash: last?.hash ?? beginning,
      }
      const written = { ...complete, hash: hashOf(complete) }
      const { principal, ...columns } = written
      const { kind: actorKind, id: actorId, name: actorName } = principal
      db.insert(entries)
        .values({ ...columns, actorKind, actorId, actorName })
        .run()
      if (occasion) occasion.recorded++
      queueMicrotask(() => {
        try {
          announce(written)
        } catch (error) {
          log.error({ err: error, seq: written.seq }, 'an audit entry could not be logged')
        }
      })
    },

    /** Newest first, those before `before`. */
    list: (filter: AuditFilter, { limit, before }: { limit: number; before?: number | undefined }) =>
      read(
        and(...conditions(filter), before === undefined ? undefined : lt(entries.seq, before)),
        desc(entries.seq),
        limit,
      ),

    /** All of them, oldest first. */
    async *all(filter: AuditFilter = {}): AsyncGenerator<AuditEntry> {
      let after = 0
      for (;;) {
        const found = read(and(...conditions(filter), gt(entries.seq, after)), asc(entries.seq), batch)
        yield* found
        const last = found.at(-1)
        if (!last || found.length < batch) return
        after = last.seq
        await nextTurn()
      }
    },

    /** Walks the whole log and finds the first broken link. */
    async verify(signal?: AbortSignal): Promise<Verification> {
      const check = new ChainCheck()
      const written = db.get<{ seq: number }>(
        sql`select coalesce((select seq from sqlite_sequence where name = 'audit_entries'), 0) as seq`,
      )
      for await (const entry of this.all()) {
        signal?.throwIfAborted()
        if (!check.add(entry)) break
      }
      return check.end(written.seq)
    },
  }
}
export type AuditLog = ReturnType<typeof openAuditLog>

function conditions({ instance, actor, action, from, to }: AuditFilter): (SQL | undefined)[] {
  return [
    instance === undefined ? undefined : or(eq(entries.target, instance), eq(entries.instanceId, instance)),
    actor === undefined
      ? undefined
      : sql`${actor} in (${entries.actorKind}, ${entries.actorId}, ${entries.actorName})`,
    action === undefined ? undefined : eq(entries.action, action),
    from === undefined ? undefined : gte(entries.at, from),
    to === undefined ? undefined : lt(entries.at, to),
  ]
}

function fromRow({ actorKind, actorId, actorName, ...row }: typeof entries.$inferSelect): AuditEntry {
  return { ...row, principal: { kind: actorKind, id: actorId, name: actorName } }
}
