import { and, eq, isNotNull, isNull, or } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import type { Events } from '../../../src/kernel/control-plane.ts'
import type { Logger } from '../../../src/log.ts'
import { isDiskFull } from '../../../src/storage/disk.ts'
import { isUnbranded } from '../../../views/brand.tsx'
import type { RouterService } from '../../router/contract.ts'
import type { Site } from '../../site/contract.ts'
import { siteUrl } from '../../site/contract.ts'
import type { InstanceChange, InstanceEnvironment, InstanceStatus, VolumeCopies } from '../contract.ts'
import type { Driver, InstanceSpec } from '../driver.ts'
import type { Addresses } from '../drivers/addresses.ts'
import { type Instance, instances } from '../schema.ts'
import type { VolumeLook } from '../volumes/inspection.ts'
import type { InTurn } from '../volumes/turns.ts'
import { volumePath } from '../volumes/volume.ts'
import type { DefaultImage } from './default-image.ts'
import { getInstance, listInstances, type ProvisionerDb, updateInstance, wanted } from './instance.ts'
import type { SecretKeys } from './secret-keys.ts'
import { keepStatus } from './status-history.ts'

/** What every part of the provisioner works on: records, driver, router and the settings of all instances. */
export interface Fleet {
  db: ProvisionerDb
  driver: Driver
  router: RouterService
  lookAtVolume: VolumeLook
  /** What reads, moves and deletes volumes does so in turn. */
  inTurn: InTurn
  site: Site
  clock: Clock
  /** The zone of jobs that name none. */
  timezone: string
  /** How long an instance is given to stop by itself. */
  stopGraceMs: number
  /** How many runs of each job an instance keeps, and for how long. */
  keep: { runsPerJob: number; forMs: number }
  /** How much of the disk one installation of an instance's packages may take. */
  packagesBytes: number
  /** How much of the disk an instance may take, and how many runs it may have in progress, unless it has limits of its own. */
  diskBytes: number | null
  runsAtOnce: number
  limits: { memoryBytes: number; cpus: number; pids: number }
  /** What each instance's secrets are sealed with. */
  secretKeys: SecretKeys
  /** The mail server that instances send their notices through; null when the operator offers none. */
  mail: { smtpUrl: string; smtpFrom: string } | null
  /** What other plugins give every instance. */
  environments(): InstanceEnvironment[]
  /** What makes copies of volumes; null where none are made. */
  copies(): VolumeCopies | null
  /** What the operator set for one instance. */
  variables(instanceId: string): {
    values: Readonly<Record<string, string>>
    /** Those of its values that are masked in its log. */
    secrets: readonly string[]
    digest: string | null
  }
  /** Images that other plugins still need, each with why. */
  imagesInUse(): readonly { imageId: string; why: string }[]
  /** The image of new instances and of upgrades. */
  defaultImage: DefaultImage
  /** Of the network that instances share. */
  addresses: Addresses
  /** How long a released name is kept from others. */
  quarantineMs: number
  /** Announces a change to those who record it. Call it in the transaction that makes the change. */
  changed(change: InstanceChange): void
  emit<E extends keyof Events>(event: E, payload: Events[E]): void
}

/** Returns what an instance's container is created from. */
export function specOf(fleet: Fleet, instance: Instance): InstanceSpec {
  const { site, timezone, stopGraceMs, keep, packagesBytes, secretKeys, mail, environments } = fleet
  const diskBytes = diskLimitOf(fleet, instance)
  return {
    id: instance.id,
    subdomain: instance.subdomain,
    ownerEmail: instance.ownerEmail,
    image: instance.image,
    imageId: instance.imageId,
    volume: volumePath(site.dataRoot, instance.subdomain),
    passwordHash: instance.passwordHash,
    publicUrl: siteUrl(site, instance.subdomain),
    timezone,
    stopGraceMs,
    limits: limitsOf(instance),
    ...(instance.pids !== null && { pids: instance.pids }),
    environment: {
      // First, so that nothing that the platform sets is ever replaced by them.
      ...fleet.variables(instance.id).values,
      ...Object.assign({}, ...environments().map(({ variables }) => variables)),
      LONGHOUSE_STOP_GRACE: `${stopGraceMs}ms`,
      LONGHOUSE_KEEP_RUNS: String(keep.runsPerJob),
      LONGHOUSE_KEEP_FOR: `${keep.forMs}ms`,
      LONGHOUSE_PACKAGES_LIMIT: `${Math.floor(packagesBytes / 1024)}k`,
      LONGHOUSE_RUNS_AT_ONCE: String(instance.runsAtOnce ?? fleet.runsAtOnce),
      ...(diskBytes !== null && { LONGHOUSE_DISK_LIMIT: `${Math.floor(diskBytes / 1024)}k` }),
      LONGHOUSE_SECRET_KEY: secretKeys.of(instance.id),
      ...(instance.secretsOf.length > 0 && {
        LONGHOUSE_SECRET_KEYS_BEFORE: instance.secretsOf.map(id => secretKeys.of(id)).join(','),
      }),
      // It is in pages that the customer sees, and so is no secret to their jobs.
      ...(!isUnbranded(site.brand) && { LONGHOUSE_BRAND: JSON.stringify(site.brand) }),
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

/** How much of the disk an instance may take; null for no limit. */
export function diskLimitOf({ diskBytes }: Pick<Fleet, 'diskBytes'>, instance: Instance): number | null {
  return instance.diskBytes ?? diskBytes
}

/**
 * Changes an instance's status: updates the record and the router, and emits the event. Nothing else sets a status. A record that
 * says the same already is not written, which would wait for the disk.
 */
export function setStatus(
  fleet: Fleet,
  id: string,
  status: InstanceStatus,
  reason: string | null = null,
): void {
  const before = getInstance(fleet.db, id)
  // It keeps its address until it is known to be stopped: an operation may fail before it does anything.
  const gone = status === 'stopped' || status === 'deleted' ? { host: null, port: null, answers: false } : {}
  const change = { status, statusReason: reason, volumeFault: null, ...gone }
  if (isOther(before, status, reason))
    fleet.db.transaction(tx => {
      updateInstance(fleet.db, id, change)
      if (before.status !== status) keepStatus(tx, id, status, reason, fleet.clock.now())
    })
  routeInstance(fleet, { ...before, ...change })
  if (before.status !== status) {
    const { subdomain } = before
    fleet.emit('instance-status-changed', { instanceId: id, subdomain, from: before.status, to: status })
  }
}

/** Whether `setStatus` would change the record. */
export function isOther(
  instance: Pick<Instance, 'status' | 'statusReason' | 'volumeFault' | 'host' | 'answers'>,
  status: InstanceStatus,
  reason: string | null = null,
): boolean {
  if (instance.status !== status || instance.statusReason !== reason || instance.volumeFault !== null)
    return true
  return (status === 'stopped' || status === 'deleted') && (instance.host !== null || instance.answers)
}

/** Records that an instance is healthy, and when it was healthy for the first time. */
export function markReady({ db, clock }: Fleet, id: string): void {
  updateInstance(db, id, { answers: true })
  db.update(instances)
    .set({ readyAt: clock.now() })
    .where(and(eq(instances.id, id), isNull(instances.readyAt)))
    .run()
}

/** Records where an instance listens from now on. It counts as not answering until it is seen to answer there. */
export function setAddress(fleet: Fleet, id: string, address: { host: string; port: number } | null): void {
  updateInstance(fleet.db, id, { host: address?.host ?? null, port: address?.port ?? null, answers: false })
  routeInstance(fleet, getInstance(fleet.db, id))
}

/** Records whether an instance answers as itself where it listens. */
export function setAnswers(fleet: Fleet, id: string, answers: boolean): void {
  updateInstance(fleet.db, id, { answers })
  routeInstance(fleet, getInstance(fleet.db, id))
}

/**
 * Gives the router every instance at boot, as the records have it. An instance that ended with the last control plane listens
 * nowhere. On a full disk that cannot be recorded, and the router learns it all the same.
 */
export function routeAll(fleet: Fleet, log: Logger): void {
  const nowhere = fleet.driver.outlivesControlPlane ? {} : { host: null, port: null, answers: false }
  if (!fleet.driver.outlivesControlPlane)
    try {
      fleet.db
        .update(instances)
        .set(nowhere)
        .where(or(isNotNull(instances.host), eq(instances.answers, true)))
        .run()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      log.error(
        { err: error },
        'The disk is full: instances cannot be started until there is room. Make room; they then start by themselves.',
      )
    }
  for (const instance of listInstances(fleet.db)) routeInstance(fleet, { ...instance, ...nowhere })
}

function routeInstance({ router }: Fleet, instance: Instance): void {
  const { id: instanceId, subdomain, desired, status } = instance
  const address = reachableAt(instance)
  if (desired === 'deleted') router.remove(subdomain)
  else if (address) router.set(subdomain, { state: 'ready', instanceId, ...address })
  else if (status === 'stopping' || status === 'stopped' || wanted(instance) !== 'running')
    router.set(subdomain, { state: isSuspended(instance) ? 'suspended' : 'stopped', instanceId })
  else if (status === 'unhealthy' || status === 'failed')
    router.set(subdomain, { state: 'unhealthy', instanceId })
  else router.set(subdomain, { state: 'starting', instanceId })
}

/** Whether it is stopped for that alone: the operator may have stopped it as well. */
function isSuspended({ desired, suspension }: Instance): boolean {
  return desired === 'running' && suspension !== null
}

/**
 * Returns where requests for an instance go; null when they do not reach it. An instance that should run and answers as itself
 * is reachable, whatever its checks say and whatever operation on it failed or is in progress.
 */
export function reachableAt(instance: Instance): { host: string; port: number } | null {
  const { status, host, port, answers } = instance
  if (host === null || port === null || wanted(instance) !== 'running') return null
  // During an operation the old container may still answer, or the new one already.
  const open = status === 'running' || (answers && ['provisioning', 'unhealthy', 'failed'].includes(status))
  return open ? { host, port } : null
}
