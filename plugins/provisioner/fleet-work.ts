import type { Desired, InstanceStatus, OperationKind, OperationStatus } from './instance-wire.ts'

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
