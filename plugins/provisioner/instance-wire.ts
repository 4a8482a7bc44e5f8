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

/** How many runs of an instance are in progress, and how many wait for a place. */
export interface RunsNow {
  running: number
  queued: number
}

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
  /** Where the file system itself stops it; null where it is only watched. */
  quotaBytes: number | null
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
