import { and, eq, isNotNull, isNull, ne } from 'drizzle-orm'
import { invalidFields, Problem } from '../../../src/http/problem.ts'
import type { AccountDirectory } from '../../auth/contract.ts'
import { siteUrl } from '../../site/contract.ts'
import {
  type Admission,
  type InstanceLimit,
  type InstanceUsage,
  notPossibleNow,
  type OwnedInstance,
  type OwnedInstances,
  type RunsNow,
  type TrafficPage,
  type UsagePeriod,
} from '../contract.ts'
import { nothingToClaim, suspended, unknownInstance } from '../problems.ts'
import { diskUseOf } from '../records/disk-use.ts'
import { sameAddress } from '../records/email-address.ts'
import { type Fleet, reachableAt } from '../records/fleet.ts'
import { listInstancesOf, requireInstance, updateInstance } from '../records/instance.ts'
import { findOperation } from '../records/operation.ts'
import { subdomainFault } from '../records/subdomain.ts'
import { type Instance, instances } from '../schema.ts'
import { provision, request } from './commands.ts'
import { refuseOverLimit, returningInstance, seeFor } from './name-hold.ts'
import { resetPassword } from './password.ts'
import { restore } from './restore.ts'
import { restoreCopy } from './restore-copy.ts'

interface Owner {
  id: string
  /** Verified. */
  email: string
}

export interface OwnershipParts {
  fleet: Fleet
  health: {
    lastHealthyAt(instanceId: string): number | null
    runsOf(instanceId: string): RunsNow | null
  }
  /** What measures instances; null where none are measured. */
  usage(): ((instanceId: string, period: UsagePeriod) => InstanceUsage) | null
  /** What has a page about an instance's traffic; null where that is not counted. */
  trafficPage(): TrafficPage | null
  defaultImage: string
  /** When its volume is due to be deleted; null when no deletion is scheduled. */
  purgeAt(instance: Instance): number | null
  /** What says how many instances an account may have; null when nothing does. */
  limit(): ((accountId: string) => InstanceLimit) | null
  /** What lets an account have an instance; null when none has to be asked. */
  admission(): Admission | null
  /** Its owner has not deleted the account. */
  isOpen(accountId: string): boolean
  /** The open accounts with this address, in whatever case it is written. */
  accountsByEmail(email: string): { id: string }[]
}

/** What owners have and may do. Accounts reach instances only through this class. */
export class Ownership {
  readonly #parts: OwnershipParts

  constructor(parts: OwnershipParts) {
    this.#parts = parts
  }

  #limit(accountId: string): InstanceLimit {
    return this.#parts.limit()?.(accountId) ?? { most: 1, by: null, larger: false, domains: null }
  }

  get #admit(): Admission | null {
    return this.#parts.admission()
  }

  /** Whether a plugin decides who may have an instance; only then is it of interest which instances are billed. */
  get charges(): boolean {
    return this.#admit !== null
  }

  /** What an instance's owner pays with, in words for the operator; null where nothing has to be paid. */
  planOf({ accountId, billed }: Pick<Instance, 'accountId' | 'billed'>): string | null {
    if (!this.charges) return null
    if (!billed) return 'exempt'
    if (accountId === null) return 'none: unclaimed'
    return this.#limit(accountId).by?.replace(/^The (plan )?/i, '') ?? 'none'
  }

  /** Gives billing a say in an instance from now on, or takes it away. Throws `unknown-instance`. */
  setBilled(subdomain: string, billed: boolean): void {
    const { fleet } = this.#parts
    const accountId = fleet.db.transaction(() => {
      const instance = requireInstance(fleet.db, subdomain)
      if (instance.billed === billed) return null
      updateInstance(fleet.db, instance.id, { billed })
      fleet.changed({
        ...{ instanceId: instance.id, subdomain, change: billed ? 'bill' : 'exempt' },
        ...{ operationId: null, result: 'done' },
      })
      if (billed && instance.accountId !== null) this.#admit?.(instance.accountId, 'billed')
      return instance.accountId
    })
    if (accountId !== null) fleet.emit('instance-billed', { accountId })
  }

  /** The instances of one account. `nudge` makes the reconciler act. */
  of(owner: Owner, nudge: () => void): OwnedInstances {
    const { fleet, defaultImage, isOpen } = this.#parts
    const requireOwn = (subdomain: string): Instance => {
      const found = this.#rows(owner).find(each => each.subdomain === subdomain)
      if (!found) throw unknownInstance(`You have no instance called "${subdomain}".`)
      return found
    }
    const asked = (subdomain: string) => ({
      subdomain,
      ownerEmail: owner.email,
      adopt: false,
      account: { id: owner.id, limit: this.#limit(owner.id).most },
    })
    return {
      list: () => this.#rows(owner).map(each => this.#shown(each)),
      find: subdomain => this.#shown(requireOwn(subdomain)),
      limit: () => this.#limit(owner.id),
      claimable: () => this.#unclaimed(owner).map(each => each.subdomain),
      claim: subdomain => this.#claim(owner, subdomain),
      nameFault: async subdomain =>
        subdomainFault(subdomain) ??
        (await faultOf(async () => {
          const request = asked(subdomain)
          return returningInstance(fleet, request, await seeFor(fleet, request))
        })),
      create: async subdomain => {
        const fault = subdomainFault(subdomain)
        if (fault) throw invalidFields([{ path: 'subdomain', message: fault }])
        const admit = (previous: Instance | null) => {
          // The password takes a while, and accounts are deleted in moments.
          if (!isOpen(owner.id)) throw notPossibleNow('Your account was deleted meanwhile; nothing was made.')
          if (previous?.billed !== false) this.#admit?.(owner.id, 'made')
        }
        const { password } = await provision(fleet, { ...asked(subdomain), image: defaultImage }, admit)
        nudge()
        return { password }
      },
      request: (subdomain, work) => {
        requireOwn(subdomain)
        request(fleet, subdomain, work, { by: 'owner' })
        nudge()
      },
      restore: subdomain => {
        fleet.db.transaction(() => {
          const { desired, suspension, billed } = requireOwn(subdomain)
          // It would stand stopped until it is removed again, and be kept for that much longer each time.
          if (desired === 'deleted' && suspension)
            throw suspended(`"${subdomain}" cannot be brought back for now: ${suspension.reason}`)
          if (desired === 'deleted' && billed) {
            this.#admit?.(owner.id, 'brought-back')
            refuseOverLimit(fleet, asked(subdomain).account)
          }
          restore(fleet, subdomain)
        })
        nudge()
      },
      restoreCopy: (subdomain, copyId) => {
        requireOwn(subdomain)
        restoreCopy(fleet, subdomain, copyId)
        nudge()
      },
      resetPassword: async subdomain => {
        const { password } = await resetPassword(fleet, subdomain, () => requireOwn(subdomain))
        nudge()
        return password
      },
    }
  }

  /** Records an owner's new email address. */
  renameOwner(accountId: string, email: string): void {
    this.#parts.fleet.db
      .update(instances)
      .set({ ownerEmail: email })
      .where(and(eq(instances.accountId, accountId), isNull(instances.purgedAt)))
      .run()
  }

  /** Catches up with changes of address that no event announced, and forgets the addresses of deleted accounts. */
  followOwners(accounts: AccountDirectory): void {
    const { db } = this.#parts.fleet
    const owners = db
      .selectDistinct({ id: instances.accountId })
      .from(instances)
      .where(and(isNotNull(instances.accountId), ne(instances.ownerEmail, '')))
      .all()
    for (const { id } of owners) {
      const account = id === null ? null : accounts.get(id)
      if (!account) continue
      if (account.email) this.renameOwner(account.id, account.email)
      else {
        const gone = and(eq(instances.accountId, account.id), isNotNull(instances.purgedAt))
        db.update(instances).set({ ownerEmail: '' }).where(gone).run()
      }
    }
  }

  #rows(owner: Owner): Instance[] {
    return listInstancesOf(this.#parts.fleet.db, owner.id)
  }

  /**
   * An address is the same in whatever case it is written. But a provider may tell `Ada@` and `ada@` apart: where two
   * open accounts differ only in that, an instance is for the one whose address is written exactly so.
   */
  #unclaimed(owner: Owner): Instance[] {
    const others = this.#parts.accountsByEmail(owner.email).filter(({ id }) => id !== owner.id)
    return listInstancesOf(this.#parts.fleet.db, null).filter(
      each =>
        !each.removal?.purgeRequestedAt &&
        sameAddress(each.ownerEmail, owner.email) &&
        (others.length === 0 || each.ownerEmail === owner.email),
    )
  }

  #claim(owner: Owner, subdomain: string): void {
    const found = this.#unclaimed(owner).find(each => each.subdomain === subdomain)
    if (!found) throw nothingToClaim(`No instance called "${subdomain}" was made for ${owner.email}.`)
    const { fleet } = this.#parts
    fleet.db.transaction(() => {
      if (found.billed) {
        this.#admit?.(owner.id, 'made')
        if (found.desired !== 'deleted')
          refuseOverLimit(fleet, { id: owner.id, limit: this.#limit(owner.id).most })
      }
      fleet.db
        .update(instances)
        .set({ accountId: owner.id })
        .where(and(eq(instances.id, found.id), isNull(instances.accountId)))
        .run()
      fleet.changed({ instanceId: found.id, subdomain, change: 'claim', operationId: null, result: 'done' })
    })
  }

  #shown(instance: Instance): OwnedInstance {
    const { fleet, health, purgeAt, usage, trafficPage } = this.#parts
    const { id, subdomain, status, desired, createdAt, removal, suspension } = instance
    const last = instance.operationId ? findOperation(fleet.db, instance.operationId) : null
    return {
      id,
      subdomain,
      url: siteUrl(fleet.site, subdomain),
      status,
      reachable: reachableAt(instance) !== null,
      desired,
      createdAt,
      lastHealthAt: health.lastHealthyAt(id) ?? instance.lastHealthAt,
      deletedAt: removal?.deletedAt ?? null,
      purgeAt: purgeAt(instance),
      suspension: suspension?.reason ?? null,
      billed: instance.billed || !this.charges,
      disk: diskUseOf(fleet, instance),
      limits: {
        memoryBytes: instance.memoryBytes ?? fleet.limits.memoryBytes,
        cpus: instance.cpus ?? fleet.limits.cpus,
        processes: instance.pids ?? fleet.limits.pids,
        runsAtOnce: instance.runsAtOnce ?? fleet.runsAtOnce,
      },
      usage: usage()?.(id, 'hour').now ?? null,
      trafficPage: trafficPage()?.(subdomain, 'owner') ?? null,
      runs: health.runsOf(id),
      operation: last && {
        kind: last.kind,
        status: last.status,
        createdAt: last.createdAt,
        startedAt: last.startedAt,
        finishedAt: last.finishedAt,
        // Not what a step found: that is about the host.
        steps: last.steps.map(step => ({
          name: step.name,
          status: step.status,
          startedAt: step.startedAt,
          finishedAt: step.finishedAt,
        })),
      },
    }
  }
}

async function faultOf(check: () => Promise<unknown>): Promise<string | null> {
  try {
    await check()
    return null
  } catch (error) {
    if (error instanceof Problem) return error.detail
    throw error
  }
}
