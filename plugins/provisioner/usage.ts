/** The minimum, average and maximum of something within a stretch of time. */
export interface Spread {
  min: number
  avg: number
  max: number
}

/** What an instance took within one stretch of time. */
export interface UsagePoint {
  /** When the stretch began. */
  at: number
  /** In cores. */
  cpu: Spread
  memoryBytes: Spread
  /** Null while the volume was not measured. */
  diskBytes: Spread | null
  /** The most of them. */
  processes: number
}

/** What an instance takes now: as last measured, at most a few minutes ago. */
export interface UsageNow {
  at: number
  /** In cores; null after the first look at it. */
  cpu: number | null
  memoryBytes: number
  processes: number
  startedAt: number | null
}

/** What an instance takes now, and took in a period. */
export interface InstanceUsage {
  /** Null while it does not run, or was not measured lately. */
  now: UsageNow | null
  from: number
  to: number
  /** How long each stretch is. */
  stretchMs: number
  /** The oldest first. A stretch in which nothing was measured is left out. */
  points: readonly UsagePoint[]
}

/** What one look at a running instance showed. */
export interface MeasuredInstance {
  instanceId: string
  /** The processor time of all its processes since it was started, in milliseconds. */
  processorMs: number
  memoryBytes: number
  processes: number
  startedAt: number | null
  /** What its volume took when that was last measured. */
  diskBytes: number | null
}
