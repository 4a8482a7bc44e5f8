import type {
  Desired,
  DiskUse,
  InstanceStatus,
  OperationStatus,
  RunsNow,
  StepStatus,
} from './instance-wire.ts'
import type { UsageNow } from './usage.ts'

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

/** The address of the page of an instance's traffic. */
export type TrafficPage = (subdomain: string, reader: 'operator' | 'owner') => string

/** A minute of requests to an instance: when it began, how many there were, and how many of them a limit refused. */
export interface BusiestMinute {
  at: number
  requests: number
  refused: number
}

/** An instance as its owner sees it: without details of the host. */
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
