import type { CopyReason } from '../provisioner/contract.ts'

/** A copy of an instance that can be restored. */
export interface KeptCopy {
  id: string
  instanceId: string
  /** The instance's subdomain when it was made. */
  subdomain: string
  reason: CopyReason
  /** When it was begun: every record that was confirmed before is in it. */
  createdAt: number
  /** Unpacked, before the store compresses it and leaves out what it has already. */
  bytes: number
  /** When it was last restored into a scratch folder and a runtime started on it; null while it was not. */
  provenAt: number | null
  /** The image of the instance. */
  image: string
}

export interface BackupService {
  /** Why no copies can be made, in words for the operator; null when they can. */
  fault(): string | null
  /** The copies of an instance, newest first. */
  copiesOf(instanceId: string): KeptCopy[]
  /** The newest copy that was proven to work; null when there is none. */
  lastProven(instanceId: string): KeptCopy | null
  /** Instances that should have a newer copy, or a proven one, each with words why. */
  overdue(): { instanceId: string; subdomain: string; why: string }[]
}

declare module '../../src/kernel/control-plane.ts' {
  interface Services {
    backup: BackupService
  }
  interface Events {
    /** A copy could not be made, or does not work. */
    'copy-failed': { instanceId: string; subdomain: string; why: string }
    /** A copy was made after one had failed. */
    'copy-recovered': { instanceId: string; subdomain: string }
  }
}
