import type { RouterService } from '../../router/contract.ts'
import type { VolumeCopies } from '../contract.ts'
import type { Driver, InstanceSpec } from '../driver.ts'
import type { StepName } from '../records/plan.ts'
import type { Operation, Rollback } from '../schema.ts'
import type { VolumeLook } from '../volumes/inspection.ts'
import type { VolumeRecord } from '../volumes/volume.ts'
import type { HealthWatch } from './health-watch.ts'

/** What each step does. It returns a few words for the journal, or throws. */
export type StepRuns = Readonly<Record<StepName, (step: StepContext) => Promise<string | undefined>>>

/** A step that moves or deletes the volume. */
export function whileAlone(run: StepRuns[StepName]): StepRuns[StepName] {
  return step => step.alone(() => run(step))
}

/** What the steps of one operation work with. */
export interface StepContext {
  operation: Pick<Operation, 'id' | 'kind' | 'copyId' | 'actorKind'>
  /** Null where no copies are made. */
  copies: VolumeCopies | null
  /** The image that works on folders, by name. */
  workImage: string
  /** Whether the jobs of a restored volume stay off at first: another instance runs them. */
  holdJobs: boolean
  now(): number
  /** What the instance could go back to when the operation began. */
  rollback: Rollback | null
  /** The id of the image that the operation replaces; null until it is known. */
  replacedImageId: string | null
  /** Whether what the operation did is being undone. */
  undoing: boolean
  /** Records that the instance has the image again that the operation replaced, and returns it. */
  putBackImage(): { image: string; imageId: string | null }
  /** Records that the volume was made from the copy. */
  volumeRestored(): void
  /** Pinned to an image from the step `prepare image` on. */
  spec: InstanceSpec
  /** Whether an instance that is pinned to no image yet takes the one of its container. */
  keepsImage: boolean
  /** What is masked in what the instance wrote. */
  secrets(): readonly string[]
  dataRoot: string
  /** What the record says about the volume now. */
  readonly volume: VolumeRecord
  look: VolumeLook
  /** Does work that moves or deletes the volume once those who read it are done; others wait for it. */
  alone<T>(work: () => Promise<T>): Promise<T>
  /** The subdomain of the instance that has this id and a record; null when none has. */
  ownerOf(instanceId: string): string | null
  driver: Driver
  router: RouterService
  health: HealthWatch
  /** Aborts when the operation was superseded or the program stops. */
  signal: AbortSignal
  /** How long an instance may take to stop by itself, and to become healthy. */
  stopGraceMs: number
  healthDeadlineMs: number
  /** Records where the instance listens, and starts its health checks. */
  started(address: { host: string; port: number }): void
  /** Records that it no longer listens anywhere. */
  stopped(): void
  /** Records that the volume is the instance's own. */
  volumeMarked(): void
}
