import { and, eq, isNull } from 'drizzle-orm'
import type { Clock } from '../../src/clock.ts'
import type { Events } from '../../src/plugin.ts'
import type { Site } from '../../src/site.ts'
import { siteUrl } from '../../src/site.ts'
import type { RouterService } from '../router/contract.ts'
import type { Driver, InstanceSpec } from './driver.ts'
import { getInstance, listInstances, type ProvisionerDb, updateInstance } from './instance.ts'
import { type Instance, type InstanceStatus, instances } from './schema.ts'
import type { SecretKeys } from './secret-keys.ts'
import { volumePath } from './volume.ts'

/** What the parts of the provisioner work on together. */
export interface Fleet {
  db: ProvisionerDb
  driver: Driver
  router: RouterService
  site: Site
  clock: Clock
  /** The zone of jobs that name none. */
  timezone: string
  /** How long an instance is given to stop by itself. */
  stopGraceMs: number
  /** How many runs of each job an instance keeps, and for how long. */
  keep: { runsPerJob: number; forMs: number }
  /** What each instance's secrets are sealed with. */
  secretKeys: SecretKeys
  /** The mail server that instances send their notices through; null when the operator offers none. */
  mail: { smtpUrl: string; smtpFrom: string } | null
  /** What others want every instance to know. */
  equipment: (() => Readonly<Record<string, string>>)[]
  /** How long a released name is kept from others. */
  quarantineMs: number
  emit<E extends keyof Events>(event: E, payload: Events[E]): void
}

/** What one instance's container is made from. */
export function specOf(
  { site, timezone, stopGraceMs, keep, secretKeys, mail, equipment }: Fleet,
  instance: Instance,
): InstanceSpec {
  return {
    id: instance.id,
    subdomain: instance.subdomain,
    ownerEmail: instance.ownerEmail,
    image: instance.image,
    imageId: null,
    volume: volumePath(site.dataRoot, instance.subdomain),
    passwordHash: instance.passwordHash,
    publicUrl: siteUrl(site, instance.subdomain),
    timezone,
    stopGraceMs,
    limits: limitsOf(instance),
    environment: {
      ...Object.assign({}, ...equipment.map(each => each())),
      LONGHOUSE_STOP_GRACE: `${stopGraceMs}ms`,
      LONGHOUSE_KEEP_RUNS: String(keep.runsPerJob),
      LONGHOUSE_KEEP_FOR: `${keep.forMs}ms`,
      LONGHOUSE_SECRET_KEY: secretKeys.of(instance.id),
      LONGHOUSE_VOLUME_ID: instance.id,
      ...(instance.handedOverAt !== null && {
        LONGHOUSE_HANDED_OVER_AT: new Date(instance.handedOverAt).toISOString(),
      }),
      ...(mail && { SMTP_URL: mail.smtpUrl, SMTP_FROM: mail.smtpFrom }),
    },
  }
}

function limitsOf({ memoryBytes, cpus }: Instance): InstanceSpec['limits'] {
  return memoryBytes === null || cpus === null ? null : { memoryBytes, cpus }
}

/** The one place where an instance's status changes: the record, the router and whoever listens follow together. */
export function setStatus(
  fleet: Fleet,
  id: string,
  status: InstanceStatus,
  reason: string | null = null,
): void {
  const before = getInstance(fleet.db, id)
  const address = status === 'running' || status === 'unhealthy' ? {} : { host: null, port: null }
  const change = { status, statusReason: reason, volumeFault: null, ...address }
  updateInstance(fleet.db, id, change)
  routeInstance(fleet, { ...before, ...change })
  if (before.status !== status) {
    const { subdomain } = before
    fleet.emit('instance-status-changed', { instanceId: id, subdomain, from: before.status, to: status })
  }
}

/** Keeps that an instance was healthy for the first time. */
export function markReady({ db, clock }: Fleet, id: string): void {
  db.update(instances)
    .set({ readyAt: clock.now() })
    .where(and(eq(instances.id, id), isNull(instances.readyAt)))
    .run()
}

/** Where an instance listens from now on. */
export function setAddress(fleet: Fleet, id: string, address: { host: string; port: number } | null): void {
  fleet.db
    .update(instances)
    .set({ host: address?.host ?? null, port: address?.port ?? null })
    .where(eq(instances.id, id))
    .run()
  routeInstance(fleet, getInstance(fleet.db, id))
}

/** Tells the router about every instance, as the records have it: at boot, when it knows nothing. */
export function routeAll(fleet: Fleet): void {
  for (const instance of listInstances(fleet.db)) {
    if (!fleet.driver.outlivesControlPlane) updateInstance(fleet.db, instance.id, { host: null, port: null })
    routeInstance(fleet, getInstance(fleet.db, instance.id))
  }
}

function routeInstance({ router }: Fleet, instance: Instance): void {
  const { id: instanceId, subdomain, desired, status, host, port } = instance
  if (desired === 'deleted') router.remove(subdomain)
  else if (status === 'unhealthy' || status === 'failed')
    router.set(subdomain, { state: 'unhealthy', instanceId })
  else if (status === 'stopping' || status === 'stopped')
    router.set(subdomain, { state: 'stopped', instanceId })
  else if (status === 'running' && host !== null && port !== null) {
    router.set(subdomain, { state: 'ready', instanceId, host, port })
  } else router.set(subdomain, { state: 'starting', instanceId })
}
