import type { RouterService } from '../../router/contract.ts'
import type { VolumeCopies } from '../contract.ts'
import type { Driver, InstanceSpec } from '../driver.ts'
import { secretsInLog } from '../log/log-text.ts'
import { type Fleet, setAddress, specOf } from '../records/fleet.ts'
import { findInstance, getInstance, updateInstance, wanted } from '../records/instance.ts'
import { findRollback, unpinImage } from '../records/pinned-image.ts'
import type { StepName } from '../records/plan.ts'
import { ownerOfVolume } from '../records/volume-record.ts'
import type { Instance, Operation, Rollback } from '../schema.ts'
import type { VolumeLook } from '../volumes/inspection.ts'
import { type VolumeRecord, volumePath } from '../volumes/volume.ts'
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
}

/** What all operations have in common. */
interface StepParts {
  fleet: Fleet
  health: HealthWatch
  settings: Pick<StepContext, 'stopGraceMs' | 'healthDeadlineMs'>
}

/** What the steps of an operation work with, by what is recorded when it begins. */
export function stepContext(
  { fleet, health, settings }: StepParts,
  operation: Operation,
  instance: Instance,
  signal: AbortSignal,
): StepContext {
  const { instanceId, kind } = operation
  const [original] = instance.secretsOf
  const rollback = findRollback(fleet.db, instanceId)
  const brought =
    kind === 'upgrade' || kind === 'rollback'
      ? {
          image: operation.image ?? instance.image,
          imageId: kind === 'rollback' ? (rollback?.imageId ?? null) : operation.imageId,
        }
      : {}
  return {
    operation,
    copies: fleet.copies(),
    workImage: fleet.defaultImage.name,
    holdJobs: kind === 'restore-new' && original !== undefined && runs(fleet, original),
    rollback,
    replacedImageId: instance.imageId,
    undoing: false,
    putBackImage: () => unpinImage(fleet, operation),
    now: () => fleet.clock.now(),
    volumeRestored: () => updateInstance(fleet.db, instanceId, { pendingCopyId: null }),
    spec: specOf(fleet, { ...instance, ...brought }),
    keepsImage: !['upgrade', 'rollback', 'provision', 'restore-new'].includes(kind),
    secrets: () => secretsInLog(fleet, getInstance(fleet.db, instanceId)),
    dataRoot: fleet.site.dataRoot,
    get volume() {
      return getInstance(fleet.db, instanceId)
    },
    look: fleet.lookAtVolume,
    alone: work => fleet.inTurn(volumePath(fleet.site.dataRoot, instance.subdomain), signal, work),
    ownerOf: id => ownerOfVolume(fleet, id),
    driver: fleet.driver,
    router: fleet.router,
    health,
    signal,
    ...settings,
    started: address => {
      setAddress(fleet, instanceId, address)
      fleet.emit('instance-started', { instanceId })
    },
    stopped: () => setAddress(fleet, instanceId, null),
  }
}

/** Whether another instance is meant to run its jobs. */
function runs({ db }: Fleet, instanceId: string): boolean {
  const instance = findInstance(db, instanceId)
  return instance !== null && instance.purgedAt === null && wanted(instance) === 'running'
}
