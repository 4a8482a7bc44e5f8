import type { Principal } from '../../src/acting.ts'
import { defineProblem } from '../../src/http/problem.ts'
import type { UpgradeWork } from './fleet-work.ts'
import type {
  Desired,
  InstanceStatus,
  InstanceSummary,
  LimitsOfPlan,
  OperationKind,
  OperationStatus,
  RunsNow,
  UsagePeriod,
} from './instance-wire.ts'
import type { BusiestMinute, InstanceLimit, OwnedInstances, TrafficPage } from './owned.ts'
import type { InstanceUsage, MeasuredInstance } from './usage.ts'
import type { PurgeCheck, VolumeCopies, VolumeWork } from './volume-copies.ts'

export type { UpgradeSubject, UpgradeWork } from './fleet-work.ts'
export type {
  CopyReason,
  Desired,
  DiskUse,
  InstanceStatus,
  InstanceSummary,
  LimitsOfPlan,
  OperationKind,
  OperationStatus,
  Remover,
  RunsNow,
  StepStatus,
  UsagePeriod,
  VolumeFaultKind,
} from './instance-wire.ts'
export {
  copyReasons,
  desiredStates,
  instanceStatuses,
  operationKinds,
  operationStatuses,
  removers,
  stepStatuses,
  usagePeriods,
  volumeFaults,
} from './instance-wire.ts'
export type {
  BusiestMinute,
  InstanceLimit,
  OwnedInstance,
  OwnedInstances,
  OwnedOperation,
  TrafficPage,
} from './owned.ts'
export type { InstanceUsage, MeasuredInstance, Spread, UsageNow, UsagePoint } from './usage.ts'
export type { CopiesOverview, PurgeCheck, VolumeCopies, VolumeWork } from './volume-copies.ts'

export const notPossibleNow = defineProblem('not-possible-now', 409, 'Not possible in this state')

/** The code of an error that says what the program for copies found wrong with a folder or an archive. */
export const folderFinding = 'FOLDER_FINDING'

/** Whether work on a folder failed because of the folder or the archive; other errors are of the host, the engine or the store. */
export function isFolderFinding(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === folderFinding
}

/** An instance that should answer, and where. */
export interface WatchedInstance {
  id: string
  subdomain: string
  host: string
  port: number
}

/**
 * What one look at an instance showed. `answers`: it answered as itself, and only its checks fail; it is reachable all the
 * same. `starting`: it said that it is not ready yet. `version`: of its runtime. `runs`: left out by older runtimes.
 */
export type HealthObservation =
  | { healthy: true; at: number; version?: string; runs?: RunsNow }
  | { healthy: false; at: number; answers: boolean; starting?: boolean; reason: string }

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
  /** Of the network that instances share; null while that is not known, and where they have none. */
  addresses: { used: number; total: number } | null
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
  /** Null without requests in the last day, and where they are not counted. */
  busiestMinute(instanceId: string): BusiestMinute | null
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
    /** The minute of the last day with the most requests; null without any, and where they are not counted. */
    'instance-busiest-minute': (instanceId: string) => BusiestMinute | null
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
