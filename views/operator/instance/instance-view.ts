import type {
  DiskUse,
  InstanceStatus,
  OperationStatus,
  VolumeFaultKind,
} from '../../../plugins/provisioner/contract.ts'
import type { Step } from '../../components/steps.tsx'

export interface OperationView {
  id: string
  /** In words: `Provision`, `Restart`. */
  /** Who asked for it, in words; null when that was not recorded. */
  actor: string | null
  title: string
  status: OperationStatus
  /** Why it failed, and what became of what it did. */
  error: string | null
  createdAt: number
  durationMs: number | null
  steps: readonly Step[]
}

/** How healthy an instance was. */
export interface HealthView {
  /** Which part of the time in which it was to run it was healthy, from 0 to 1; null when it was not to run. */
  availability: { day: number | null; month: number | null }
  /** The newest first; `to` is null while it goes on. */
  spans: readonly { status: InstanceStatus; reason: string | null; from: number; to: number | null }[]
}

/** What an instance may take of the host, and what of the disk it takes. */
export interface LimitsView {
  memoryBytes: number
  cpus: number
  pids: number
  runsAtOnce: number
  disk: DiskUse
}

export interface InstanceView {
  id: string
  subdomain: string
  url: string
  ownerEmail: string
  /** What its owner pays with, in words; null where payments are not set up. */
  plan: string | null
  status: InstanceStatus
  statusReason: string | null
  /** Why the volume keeps the instance from starting: it is missing, or another volume is in its place. */
  volumeFault: VolumeFaultKind | null
  /** Whether requests reach it, whatever its status. */
  reachable: boolean
  /** It runs with older settings of the control plane. */
  outdated: boolean
  /** It runs with other variables than the operator set. */
  variablesWait: boolean
  desired: string
  driver: string
  /** Null where there are no images, as for `defaultImage`. */
  image: string | null
  /** The version of its runtime; null while it is not known. */
  version: string | null
  /** It has another image than `defaultImage` is now. */
  behind: boolean
  defaultImage: string | null
  /** What it can go back to: the image, and when its data were kept. */
  rollback: { image: string; at: number } | null
  volume: string
  createdAt: number
  lastHealthAt: number | null
  /** When the operator last gave it to another owner. */
  ownerChangedAt: number | null
  deletedAt: number | null
  /** Who removed it, in words; null while it is not removed. */
  deletedBy: string | null
  /** When its volume is due to be deleted; null when no deletion is scheduled. */
  purgeAt: number | null
  /** Why its volume is kept beyond the retention period. */
  /** What is lost if its data are deleted without a copy, in words; null unless a deletion failed for want of one. */
  lostWithoutCopy: string | null
  retentionHeld: string | null
  /** Whether its owner needs a plan for it; null where payments are not set up. */
  billed: boolean | null
  /** Why it does not run, whatever is desired. */
  suspension: string | null
  suspendedAt: number | null
  limits: LimitsView
}
