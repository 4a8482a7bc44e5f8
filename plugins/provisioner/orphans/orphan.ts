import { createHash } from 'node:crypto'

export const orphanKinds = ['container', 'network', 'folder', 'route', 'copies', 'instance'] as const

/** What can be done about one; each looks again before it does anything, and none deletes a volume or a copy. */
export const repairs = ['remove', 'set-aside', 'put-back', 'forget', 'start'] as const
export type RepairKind = (typeof repairs)[number]

/** Something that the host, the router or the store has and the records do not explain, or the other way round. */
export interface Orphan {
  /** The same for as long as it is the same thing. */
  id: string
  kind: (typeof orphanKinds)[number]
  /** Its name: of the container or folder, or the subdomain. */
  name: string
  instanceId: string | null
  /** A process of it may be alive. */
  running: boolean
  /** Why it does not fit, in words for the operator. */
  why: string
  /** When it was made or last changed; null when that is not known. */
  since: number | null
  /** What it takes of the disk; null when that is not known. */
  bytes: number | null
  /** What can be done about it here, and what the operator can do otherwise. */
  repair: RepairKind | null
  advice: string
}

/** An orphan's id: the same for the same thing. `mark` tells things of one name apart. */
export function orphanId(kind: Orphan['kind'], name: string, mark: string): string {
  return createHash('sha256')
    .update(JSON.stringify([kind, name, mark]))
    .digest('hex')
    .slice(0, 16)
}
