import { and, asc, count, eq, inArray, lte, ne } from 'drizzle-orm'
import { pauseMs } from '../../src/backoff.ts'
import type { Clock } from '../../src/clock.ts'
import { limit } from '../../src/concurrency.ts'
import { newId, randomText } from '../../src/ids.ts'
import { createPace, type Pace } from '../../src/rate-limit.ts'
import type { Db } from '../../src/storage/database.ts'
import type { InstanceChange, ProvisionerService } from '../provisioner/contract.ts'
import type { Domain, DomainState } from './contract.ts'
import { askedTooOften, domainTaken, tooManyDomains, unknownDomain } from './problems.ts'
import type { Finding, ProofLookUp } from './proof.ts'
import type * as schema from './schema.ts'
import { domains } from './schema.ts'
import type { DomainsSettings } from './settings.ts'

const minute = 60_000
const hour = 60 * minute

/** How often a proof is looked for: soon after a claim, rarely once it is there. */
const whileMissing = { firstMs: minute, mostMs: hour }
const whileActiveMs = 6 * hour
const whileLosingMs = hour
/** How many domains are looked at in one round, and at the same time. */
const mostInRound = 500
const atOnce = 8
/** How often one domain may be checked on demand, and how many such checks may wait for a place. */
const checkEveryMs = 3000
const mostWaiting = 50

type Row = typeof domains.$inferSelect
const serving = ['active', 'losing'] as const satisfies DomainState[]

/** The instance that a domain is for. */
export interface Subject {
  id: string
  subdomain: string
}

export interface DomainParts {
  db: Db<typeof schema>
  clock: Clock
  settings: Omit<DomainsSettings, 'resolvers'>
  proof: ProofLookUp
  provisioner: Pick<ProvisionerService, 'byId' | 'changed'>
}

/**
 * Customers' own domains. A domain belongs to an instance once its DNS has the proof that was made for this instance; it is looked
 * for again and again:
 *
 * 1. `waiting` until the proof is found; given up after a while.
 * 2. `active` while the proof is there.
 * 3. `losing` once a name server has said that it is gone. What could not be asked changes nothing.
 * 4. `lost` when it is still gone after the grace period; forgotten after a while.
 */
export class Domains {
  readonly #parts: DomainParts
  readonly #place = limit(atOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))
  /** Places of their own: a round whose name servers are silent must not hold up an owner who checks. */
  readonly #asked = limit(atOnce, mostWaiting, () =>
    askedTooOften('Many domains are being checked. Try again in a minute.', {
      headers: { 'Retry-After': '60' },
    }),
  )
  readonly #pace: Pace
  #stopped = false

  constructor(parts: DomainParts) {
    this.#parts = parts
    this.#pace = createPace({ everyMs: checkEveryMs, clock: parts.clock })
  }

  /** From now on nothing is recorded: look-ups that a stop cuts short say nothing about a domain. */
  stop(): void {
    this.#stopped = true
  }

  /** An instance's domains, by name. */
  of(instanceId: string): Domain[] {
    const { db } = this.#parts
    return db
      .select()
      .from(domains)
      .where(eq(domains.instanceId, instanceId))
      .orderBy(asc(domains.name))
      .all()
  }

  /** All domains in these states, by name. */
  in(states: readonly DomainState[]): Domain[] {
    const { db } = this.#parts
    return db
      .select()
      .from(domains)
      .where(inArray(domains.state, [...states]))
      .orderBy(asc(domains.name))
      .all()
  }

  /** Throws `unknown-domain`. */
  find({ id, subdomain }: Subject, name: string): Domain {
    const row = this.#read(id, name)
    if (!row) throw unknownDomain(`${subdomain} has no domain "${name}".`)
    return row
  }

  /**
   * Claims a name for an instance; one that it has already stays as it is. `most` is how many the instance may have. With
   * `vouched`, it is active at once. Throws `too-many-domains` and `domain-taken`.
   */
  add(instance: Subject, name: string, { most, vouched }: { most: number; vouched: boolean }): Domain {
    const { db, clock } = this.#parts
    return db.transaction(tx => {
      const known = this.#read(instance.id, name)
      if (known && (known.vouched || !vouched)) return known
      if (vouched) this.#refuseTaken(name, instance.id)
      const now = clock.now()
      const standing = vouched
        ? { state: 'active' as const, vouched, since: now, finding: null, misses: 0 }
        : { state: 'waiting' as const, vouched, since: now, finding: null, misses: 0 }
      if (known) {
        tx.update(domains).set(standing).where(eq(domains.id, known.id)).run()
      } else {
        const has =
          tx.select({ of: count() }).from(domains).where(eq(domains.instanceId, instance.id)).get()?.of ?? 0
        if (has >= most)
          throw tooManyDomains(
            most === 0
              ? 'Instances here have no domains of their own.'
              : `${instance.subdomain} has ${has} of at most ${most}. Remove one first.`,
          )
        tx.insert(domains)
          .values({
            ...{ id: newId('dom', now), instanceId: instance.id, name, ...standing },
            ...{ proof: `longhouse=${randomText(32)}`, createdAt: now, nextCheckAt: now + minute },
          })
          .run()
      }
      this.#changed(instance, vouched ? 'vouch-domain' : 'add-domain', name)
      return this.find(instance, name)
    })
  }

  /** Takes a domain away from its instance, at once. Throws `unknown-domain`. */
  remove(instance: Subject, name: string): void {
    this.#parts.db.transaction(tx => {
      const { id } = this.find(instance, name)
      tx.delete(domains).where(eq(domains.id, id)).run()
      this.#changed(instance, 'remove-domain', name)
    })
  }

  /** Looks for the proof of one domain now. Throws `unknown-domain`, `asked-too-often`, and `domain-taken` where the proof is there, and too late. */
  async check(instance: Subject, name: string): Promise<Domain> {
    const { id } = this.find(instance, name)
    const wait = this.#pace.wait(id)
    if (wait > 0)
      throw askedTooOften(`${name} was checked a moment ago. Try again in ${wait} seconds.`, {
        headers: { 'Retry-After': String(wait) },
      })
    this.#pace.take(id)
    const finding = await this.#asked(() => this.#look(id))
    const after = this.find(instance, name)
    if (finding === 'proven' && after.state !== 'active') this.#refuseTaken(name, instance.id)
    return after
  }

  /** Looks for every proof that is due, and forgets what has expired. */
  async round(signal?: AbortSignal): Promise<void> {
    const { db, clock } = this.#parts
    const due = db
      .select({ id: domains.id })
      .from(domains)
      .where(and(lte(domains.nextCheckAt, clock.now()), eq(domains.vouched, false)))
      .orderBy(asc(domains.nextCheckAt))
      .limit(mostInRound)
      .all()
    await Promise.all(due.map(({ id }) => this.#place(async () => !signal?.aborted && this.#look(id))))
    if (!signal?.aborted) this.#expire()
  }

  /** Forgets the domains of an instance: its proofs were made for the owner that it had. */
  forget(instanceId: string): void {
    this.#parts.db.delete(domains).where(eq(domains.instanceId, instanceId)).run()
  }

  async #look(id: string): Promise<Finding> {
    const { db, proof } = this.#parts
    const row = db.select().from(domains).where(eq(domains.id, id)).get()
    if (!row) return 'missing'
    if (row.vouched) return 'proven'
    const finding = await proof.look(row.name, row.proof)
    if (!this.#stopped) db.transaction(() => this.#settle(id, finding))
    return finding
  }

  /** Records what was found. It may have been removed meanwhile. */
  #settle(id: string, finding: Finding): void {
    const { db, clock, settings, provisioner } = this.#parts
    const row = db.select().from(domains).where(eq(domains.id, id)).get()
    const instance = row && provisioner.byId(row.instanceId)
    if (!row || row.vouched || !instance) return
    const now = clock.now()
    const seen = { checkedAt: now, ...this.#next(row, finding, now) }
    const become = (state: DomainState, change: InstanceChange['change']): void => {
      db.update(domains)
        .set({ ...seen, state, since: now })
        .where(eq(domains.id, id))
        .run()
      this.#changed(instance, change, row.name)
    }
    if (finding === 'proven' && row.state !== 'active') {
      const taken = row.state !== 'losing' && this.#holder(row.name, row.instanceId) !== null
      if (!taken) {
        become('active', 'prove-domain')
        return
      }
      seen.finding = 'the proof is there, but the domain belongs to another instance of this site'
    }
    const isOver = row.state === 'losing' && now >= row.since + settings.graceMs
    if (finding === 'missing' && row.state === 'active') become('losing', 'lose-domain')
    else if (finding === 'missing' && isOver) become('lost', 'stop-domain')
    else db.update(domains).set(seen).where(eq(domains.id, id)).run()
  }

  /** When to look again, and what was found in words. */
  #next(row: Row, finding: Finding, now: number): Pick<Row, 'finding' | 'misses' | 'nextCheckAt'> {
    if (finding === 'proven')
      return { finding: 'the proof is there', misses: 0, nextCheckAt: now + whileActiveMs }
    const misses = row.misses + 1
    const backoffMs = pauseMs(misses, whileMissing)
    if (finding !== 'missing') {
      const words = `the name server did not answer (${finding.unknown}); nothing was changed`
      return { finding: words, misses, nextCheckAt: now + backoffMs }
    }
    const isServing = row.state === 'active' || row.state === 'losing'
    const pause = isServing ? whileLosingMs : backoffMs
    return { finding: 'there is no such record', misses, nextCheckAt: now + pause }
  }

  #expire(): void {
    const { db, clock, settings, provisioner } = this.#parts
    const gone = and(
      inArray(domains.state, ['waiting', 'lost']),
      lte(domains.since, clock.now() - settings.claimMs),
    )
    db.transaction(tx => {
      for (const { instanceId, name } of tx.delete(domains).where(gone).returning().all()) {
        const instance = provisioner.byId(instanceId)
        if (instance) this.#changed(instance, 'expire-domain', name)
      }
      const kept = tx.selectDistinct({ id: domains.instanceId }).from(domains).all()
      for (const { id } of kept) if (!provisioner.byId(id)) this.forget(id)
    })
  }

  #read(instanceId: string, name: string): Row | undefined {
    const { db } = this.#parts
    return db
      .select()
      .from(domains)
      .where(and(eq(domains.instanceId, instanceId), eq(domains.name, name)))
      .get()
  }

  /** The other instance that has a name; null when none has. */
  #holder(name: string, instanceId: string): string | null {
    const { db } = this.#parts
    const other = and(
      eq(domains.name, name),
      ne(domains.instanceId, instanceId),
      inArray(domains.state, [...serving]),
    )
    return db.select({ of: domains.instanceId }).from(domains).where(other).get()?.of ?? null
  }

  #refuseTaken(name: string, instanceId: string): void {
    if (this.#holder(name, instanceId) === null) return
    throw domainTaken(
      `${name} is an address of another instance on this site. Nothing was changed. Remove it there first. Without its proof there, it is free after the grace period.`,
    )
  }

  #changed({ id, subdomain }: Subject, change: InstanceChange['change'], name: string): void {
    this.#parts.provisioner.changed({
      ...{ instanceId: id, subdomain, change, operationId: null },
      ...{ result: 'done', detail: name },
    })
  }
}
