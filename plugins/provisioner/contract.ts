import type { Readable, Writable } from 'node:stream'
import type { Principal } from '../../src/acting.ts'
import { defineProblem } from '../../src/http/problem.ts'
import type { InstanceUsage, MeasuredInstance, UsageNow } from './usage.ts'

export type { InstanceUsage, MeasuredInstance, Spread, UsageNow, UsagePoint } from './usage.ts'

export const notPossibleNow = defineProblem('not-possible-now', 409, 'Not possible in this state')

export const desiredStates = ['running', 'stopped', 'deleted'] as const
/** What the operator, the owner or billing wants an instance to be. */
export type Desired = (typeof desiredStates)[number]

export const instanceStatuses = [
  'provisioning',
  'running',
  'unhealthy',
  'stopping',
  'stopped',
  'failed',
  'deprovisioning',
  'deleted',
] as const
/** What was last observed of an instance. */
export type InstanceStatus = (typeof instanceStatuses)[number]

export const removers = ['operator', 'owner', 'billing'] as const
/** Who had an instance removed. */
export type Remover = (typeof removers)[number]

export const volumeFaults = ['missing', 'foreign'] as const
/** What keeps an instance from its volume: it is missing, or another volume is in its place. */
export type VolumeFaultKind = (typeof volumeFaults)[number]

export const operationKinds = [
  'provision',
  'start',
  'stop',
  'restart',
  'upgrade',
  'rollback',
  'restore',
  'restore-new',
  'reset-password',
  'transfer',
  'deprovision',
  'purge',
] as const
/** What an operation does. */
export type OperationKind = (typeof operationKinds)[number]

export const operationStatuses = ['pending', 'running', 'succeeded', 'failed', 'superseded'] as const
export type OperationStatus = (typeof operationStatuses)[number]

export const stepStatuses = ['pending', 'running', 'done', 'failed'] as const
export type StepStatus = (typeof stepStatuses)[number]

/** An instance that should answer, and where. */
export interface WatchedInstance {
  id: string
  subdomain: string
  host: string
  port: number
}

/** How many runs of an instance are in progress, and how many wait for a place. */
export interface RunsNow {
  running: number
  queued: number
}

/**
 * What one look at an instance showed. `answers`: it answered as itself, and only its checks fail; it is reachable all the
 * same. `starting`: it said that it is not ready yet. `version`: of its runtime. `runs`: left out by older runtimes.
 */
export type HealthObservation =
  | { healthy: true; at: number; version?: string; runs?: RunsNow }
  | { healthy: false; at: number; answers: boolean; starting?: boolean; reason: string }

/** What one instance may take of the host. What is left out is what every instance may take. */
export interface LimitsOfPlan {
  memoryBytes?: number
  /** In cores; fractions are allowed. */
  cpus?: number
  /** Processes and threads together. */
  pids?: number
  diskBytes?: number
  /** How many runs may be in progress at the same time. */
  runsAtOnce?: number
}

/** What an instance takes, beside what it may take. */
export interface DiskUse {
  /** Null while it has not been measured. */
  usedBytes: number | null
  /** Null for no limit. */
  limitBytes: number | null
  measuredAt: number | null
}

export const usagePeriods = ['hour', 'day', 'week', 'month', 'year'] as const
/** How far back a chart of what an instance takes goes. */
export type UsagePeriod = (typeof usagePeriods)[number]

/** An instance as other plugins see it. */
export interface InstanceSummary {
  id: string
  subdomain: string
  ownerEmail: string
  /** The account that it belongs to; null while an instance that the operator created is unclaimed. */
  accountId: string | null
  desired: Desired
  status: string
  /** The volume's folder on the host. */
  volume: string
  /** The image's name, as the operator gave it. */
  image: string
  /** When it was healthy for the first time; null while it has no data. */
  readyAt: number | null
  createdAt: number
  /** When the container went and the volume began to be kept. */
  deletedAt: number | null
  /** Who had it removed; null while it is not. */
  deletedBy: Remover | null
  /** When its volume is due to be deleted; null when no deletion is scheduled. */
  purgeAt: number | null
  /** Whether billing has a say in it: not in what the operator made, until they say so. */
  billed: boolean
  /** While set it does not run, whatever is desired. */
  suspendedAt: number | null
  /** Why, in words for its owner. */
  suspension: string | null
}

/** What another plugin knows of an instance, for the operator's list. What is left out stays as it was. */
export interface InstanceNote {
  instanceId: string
  /** The name of the plan that pays for it, or that the operator gave it; null for none. */
  plan?: string | null
  /** Nothing pays for it, though something should. */
  unpaid?: boolean
  /** When its newest copy was made; null for none. */
  copiedAt?: number | null
  /** It should have a newer copy, or a proven one. */
  copyOverdue?: boolean
}

/**
 * Asked before the retention timer deletes a volume: words why it must stay, or null. One that throws, or takes more than
 * a minute, keeps it too.
 */
export type PurgeCheck = (instance: InstanceSummary, signal: AbortSignal) => Promise<string | null>

export const copyReasons = [
  'schedule',
  'demand',
  'upgrade',
  'restore',
  'transfer',
  'purge',
  'upload',
] as const
/** Why a copy of an instance was made. */
export type CopyReason = (typeof copyReasons)[number]

/** What an instance's page shows about its copies. */
export interface CopiesOverview {
  /** Why no copies can be made now, in words; null when they can. */
  fault: string | null
  /** When a copy was last proven to work, and when that copy was made; null when none was. */
  lastProven: { at: number; createdAt: number } | null
  /** The newest ones, newest first. Only those that are `kept` can be restored. */
  copies: readonly {
    id: string
    reason: CopyReason
    status: 'waiting' | 'kept' | 'failed'
    createdAt: number
    bytes: number | null
    provenAt: number | null
    /** Why it could not be made, or does not work. */
    error: string | null
  }[]
}

/** What makes copies of instances and brings them back. The provisioner asks it before it changes or deletes data. */
export interface VolumeCopies {
  /** Throws `unknown-backup` unless there is such a copy of this instance. */
  require(instanceId: string, copyId: string): { createdAt: number }
  /** Returns the id of the instance that a kept copy is of, purged or not; null when there is no such copy. */
  instanceOf(copyId: string): string | null
  /**
   * Makes a copy of the volume as it is now, once for each `operationId`. Returns a few words for the journal, also where no
   * copies can be made. Throws when the copy fails.
   */
  keep(work: {
    instance: Pick<InstanceSummary, 'id' | 'subdomain'>
    operationId: string
    reason: CopyReason
    signal: AbortSignal
  }): Promise<string>
  /** Unpacks a copy into an empty folder and checks it. Returns a few words for the journal. */
  unpack(work: { copyId: string; folder: string; signal: AbortSignal }): Promise<string>
  overview(instanceId: string): CopiesOverview
  /** Every instance that copies are kept of, with a record or without. */
  instances(): { instanceId: string; subdomain: string; copies: number; bytes: number; newestAt: number }[]
  /** Has a copy made soon. */
  request(instance: Pick<InstanceSummary, 'id' | 'subdomain'>, reason: CopyReason): void
}

/** Work on a folder of the host with the rights of an instance: see `Driver.workOnFolder`. */
export interface VolumeWork {
  command: 'pack' | 'unpack' | 'settle' | 'prove' | 'carry'
  folder: string
  options?: object
  input?: Readable
  /** It is not ended: only a resolved call says that everything was written. */
  output?: Writable
  signal: AbortSignal
}

/** An operation as the owner sees it: without details of the host. */
export interface OwnedOperation {
  kind: string
  status: OperationStatus
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  steps: readonly {
    name: string
    status: StepStatus
    startedAt: number | null
    finishedAt: number | null
  }[]
}

/** An instance as its owner sees it: without details of the host. */
/** The address of the page of an instance's traffic. */
export type TrafficPage = (subdomain: string, reader: 'operator' | 'owner') => string

export interface OwnedInstance {
  id: string
  subdomain: string
  url: string
  status: InstanceStatus
  /** Whether requests for it reach it, whatever its status. */
  reachable: boolean
  desired: Desired
  createdAt: number
  lastHealthAt: number | null
  deletedAt: number | null
  /** When its volume is due to be deleted; null when no deletion is scheduled. */
  purgeAt: number | null
  /** Why it may not run, in words for its owner; null when it may. */
  suspension: string | null
  /** False for what the operator made, until they say otherwise: it needs no plan and counts against none. */
  billed: boolean
  /** The newest piece of work on it. */
  operation: OwnedOperation | null
  disk: DiskUse
  /** What it may take, of its plan or as every instance. */
  limits: { memoryBytes: number; cpus: number; processes: number; runsAtOnce: number }
  /** What it takes of these now; null while it does not run, or was not measured. */
  usage: Pick<UsageNow, 'cpu' | 'memoryBytes' | 'processes'> | null
  /** Its runs when it was last looked at; null while it has not said. */
  runs: RunsNow | null
  /** The address of the page of its traffic; null where that is not counted. */
  trafficPage: string | null
}

/**
 * The instances of one account: there is no other way to them for an owner. What is not theirs does not exist; every
 * call that names one throws `unknown-instance` for it.
 */
export interface OwnedInstances {
  /** By name, with those whose volumes are kept. */
  list(): OwnedInstance[]
  find(subdomain: string): OwnedInstance
  /** How many it may have at a time, and why. */
  limit(): InstanceLimit
  /** Instances that the operator made for the account’s email address and that belong to no account. */
  claimable(): string[]
  /**
   * Takes one of those into the account, for good. Throws `nothing-to-claim`; for one that is billed `instance-limit`, and
   * what the admission throws.
   */
  claim(subdomain: string): void
  /** Why a name cannot be had, in words; null when it can. */
  nameFault(subdomain: string): Promise<string | null>
  /**
   * Makes an instance, or brings back one of the account's that is in retention. The password is returned here and stored
   * nowhere. Throws `invalid`, `subdomain-taken`, `subdomain-held`, `suspended`,
   * `instance-limit`.
   */
  create(subdomain: string): Promise<{ password: string }>
  /** Starts work on one. Throws `not-possible-now`. */
  request(subdomain: string, work: 'start' | 'stop' | 'restart' | 'deprovision'): void
  /**
   * Undoes a removal: same volume, same password, stopped if it was. Throws `not-possible-now`, `instance-limit`,
   * `suspended`, and what the admission throws.
   */
  restore(subdomain: string): void
  /** Restores one of its copies in place. Throws `unknown-backup`, and `not-possible-now` for one that is removed. */
  restoreCopy(subdomain: string, copyId: string): void
  /** Gives it another password, which is returned here and stored nowhere. */
  resetPassword(subdomain: string): Promise<string>
}

/** How many instances an account may have at a time. */
export interface InstanceLimit {
  most: number
  /** What says so, as the beginning of a sentence: `The plan Basic`. Null when only the site does. */
  by: string | null
  /** Something with room for more can be chosen at `/billing`. */
  larger: boolean
  /** How many domains each of them may have; null for what every instance may. */
  domains?: number | null
}

/**
 * Lets an account have an instance that is billed, or throws why not. It is asked in the transaction that makes the
 * instance, takes it in or brings it back, so what it writes is there together with that, or not at all. `billed`: the
 * operator has billing begin with one that the account has already; that is not refused.
 */
export type Admission = (accountId: string, how: 'made' | 'brought-back' | 'billed') => void

/** Variables that a plugin gives every instance. */
export interface InstanceEnvironment {
  variables: Readonly<Record<string, string>>
  /** The names of those that instances renew by themselves: a change of them makes no instance outdated. */
  renewed: readonly string[]
}

/** All instances at a glance. */
export interface FleetSummary {
  /** How many have each status; what is left out is none. Purged ones do not count. */
  byStatus: Partial<Record<InstanceStatus, number>>
  /** The limits of all instances that should run, together, and what the engine has; null where it does not say. */
  memory: { promisedBytes: number; totalBytes: number | null }
  /** The newest first. */
  operations: readonly {
    id: string
    subdomain: string
    kind: OperationKind
    status: OperationStatus
    error: string | null
    /** Who asked for it; null when that was not recorded. */
    actor: Principal | null
    createdAt: number
    finishedAt: number | null
  }[]
}

/**
 * A change of an instance that someone decided on, or how the work ended that it began. What the reconciler does to keep an
 * instance as it was decided is none.
 */
export interface InstanceChange {
  instanceId: string
  subdomain: string
  change:
    | OperationKind
    | 'copy'
    | 'undo-removal'
    | 'suspend'
    | 'resume'
    | 'limit'
    | 'variables'
    | 'transfer'
    | 'claim'
    | 'bill'
    | 'exempt'
    | 'add-domain'
    | 'vouch-domain'
    | 'prove-domain'
    | 'lose-domain'
    | 'stop-domain'
    | 'expire-domain'
    | 'remove-domain'
    | 'open-gate'
    | 'close-gate'
  operationId: string | null
  /** `accepted` is work that has begun; `superseded` work that a newer operation took the place of. */
  result: 'accepted' | 'done' | 'failed' | 'superseded'
  detail?: string
  /** For the end of work: who began it. */
  principal?: Principal
  via?: 'operation'
}

/** An instance as a fleet upgrade sees it. */
export interface UpgradeSubject {
  id: string
  subdomain: string
  status: InstanceStatus
  statusReason: string | null
  /** What it should be now: a suspended one should be stopped. */
  wanted: Desired
  suspended: boolean
  /** The image that it has; null while that is not known. */
  imageId: string | null
  /** What the operation in progress does; null without one. */
  work: OperationKind | null
  /** The upgrade that a rollback would undo; null when it has nothing to go back to. */
  undoes: string | null
}

/** Upgrades and rollbacks that are decided on for many instances, and carried out as those of one. */
export interface UpgradeWork {
  /** The configured image; null where instances are not made from images. */
  defaultImage: string | null
  /** What an image's name means on the engine now; null when it is not there. */
  findImage(image: string): Promise<string | null>
  /** Why no instance can be made from an image that is there, in words that follow the name of a field; null when one can. */
  imageFault(of: { image: string; imageId: string }): Promise<string | null>
  /** By name, without those whose volume is deleted; of these `ids`, or all. */
  subjects(ids?: readonly string[]): UpgradeSubject[]
  /**
   * Opens the upgrade of one instance to exactly this image. `opened` is called in the same transaction. Throws
   * `not-possible-now` while another operation on it is open, and `suspended`.
   */
  upgrade(instanceId: string, to: { image: string; imageId: string; opened(operationId: string): void }): void
  /** The same for the way back, to before the upgrade `undoes`. Throws also when that cannot be undone any more. */
  rollBack(instanceId: string, of: { undoes: string; opened(operationId: string): void }): Promise<void>
  /** How an operation stands; null when its record is no longer kept. */
  outcome(operationId: string): { status: OperationStatus; error: string | null } | null
  /** How long the upgrade of one instance took lately; null when none was measured. */
  typicalMs(): number | null
}

export interface ProvisionerService {
  /** Whether instances keep running when the control plane stops. */
  outlivesControlPlane: boolean
  /** Every instance whose volume may still exist, by name. */
  instances(): InstanceSummary[]
  /** The one that has a subdomain, or keeps it in retention. Throws `unknown-instance`. */
  instance(subdomain: string): InstanceSummary
  /** The same; null when there is none. */
  bySubdomain(subdomain: string): InstanceSummary | null
  /** Null for one that never was, or whose volume was deleted. */
  byId(id: string): InstanceSummary | null
  /** By name, without those whose volume was deleted. */
  subdomainsOf(ids: readonly string[]): string[]
  /**
   * Sets what an instance should be; the reconciler brings it about. Never deletes a volume. Throws the Problems of the
   * API: `unknown-instance`, `not-possible-now`, `suspended`. `by` is who removes it; the operator when left out.
   */
  setDesired(subdomain: string, desired: Desired, by?: 'operator' | 'owner' | 'billing'): void
  /** Undoes a removal: same volume, same password, stopped if it was. Throws `unknown-instance`, `not-possible-now`. */
  restore(subdomain: string): void
  /**
   * Keeps an instance from running, whatever is desired, until it is resumed; `why` is for its owner. Both are false when
   * there was nothing to do.
   */
  suspend(instanceId: string, why: string): boolean
  resume(instanceId: string): boolean
  /**
   * What an instance may take of the host from now on; null for what every instance may. One that runs is restarted with
   * it. False when it was so already.
   */
  limit(instanceId: string, limits: LimitsOfPlan | null): boolean
  /** Records what is known of instances for the operator's list, in one statement; what has not changed is not written. */
  note(notes: readonly InstanceNote[]): void
  /** What belongs to an account; its email address must be verified. */
  owned(account: { id: string; email: string }): OwnedInstances
  /**
   * Why the engine could not give an instance these limits, as a fault of the setting or plan `whose`; null when it can, and
   * while it has not said what it has.
   */
  limitFault(limits: LimitsOfPlan, whose: string): string | null
  upgrades: UpgradeWork
  /** All instances at a glance, with the `recent` newest operations. */
  summary(recent: number): FleetSummary
  /** How long the volume of a removed instance is kept; null keeps it until it is purged. */
  retentionMs: number | null
  /**
   * On a fresh host, whose records came from elsewhere: has every instance without a volume restored from the copy that `copyOf`
   * names. Returns the subdomains of those that have none. Removed instances stay without a volume until they are brought back.
   */
  restoreAll(copyOf: (instanceId: string) => string | null): string[]
  /**
   * Works on a volume, or on a folder that `makeFolder` made; one piece of work on a folder at a time. Throws errors in words for
   * the operator.
   */
  workOnFolder(work: VolumeWork): Promise<unknown>
  /**
   * Measures every instance that runs; those that cannot be measured are left out. `restMs` is how long to wait before the
   * next round. Throws when the engine does not answer.
   */
  measure(signal: AbortSignal): Promise<{ measured: MeasuredInstance[]; restMs: number }>
  /** Makes a folder that belongs to the user of the instances; one that is there stays. */
  makeFolder(folder: string): Promise<void>
  /** Announces what another plugin changed of an instance to those who record it. Call it in the transaction that makes the change. */
  changed(change: InstanceChange): void
  /** Every instance that is meant to run and has an address. */
  watched(): WatchedInstance[]
  /** One of them; null when it is not meant to run, or has no address. */
  watchedOne(instanceId: string): WatchedInstance | null
  /** Takes what was seen of one instance; it decides what that means for the instance's status. */
  recordHealth(instanceId: string, observation: HealthObservation): void
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    provisioner: ProvisionerService
  }
  interface Hooks {
    /** Asked when an account's instance is made, or brought back by its owner. Without an answer, all are let in. */
    'instance-admission': Admission
    /** Images that the plugin still needs, by id, each with why: they are not pruned. */
    'images-in-use': () => readonly { imageId: string; why: string }[]
    /**
     * Asked each time a container is made. A running container keeps the variables that it has until it is restarted or
     * upgraded; where they have changed, the operator sees that it runs with older settings.
     */
    'instance-environment': () => InstanceEnvironment
    /** Called in the transaction that makes the change, so that neither is there without the other. */
    'instance-change': (change: InstanceChange) => void
    /** How many instances an account may have at a time. Without an answer: one. */
    'instance-limit': (accountId: string) => InstanceLimit
    /** What an instance takes and took, for its page. */
    'instance-usage': (instanceId: string, period: UsagePeriod) => InstanceUsage
    /** The address of the page of an instance's traffic, for operators or for its owner. */
    'instance-traffic-page': TrafficPage
    'purge-objection': PurgeCheck
    /** Makes copies of volumes. Without an answer, data is changed and deleted without a copy. */
    'volume-copies': VolumeCopies
  }
  interface Events {
    /** The operator made an instance subject to billing, or exempted it. */
    'instance-billed': { accountId: string }
    /** A container was started and waits to be seen healthy. */
    'instance-started': { instanceId: string }
    /** An instance moved from one status to another. */
    'instance-status-changed': { instanceId: string; subdomain: string; from: string; to: string }
  }
}
