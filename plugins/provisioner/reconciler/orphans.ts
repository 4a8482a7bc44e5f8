import type { Logger } from '../../../src/log.ts'
import type { Fleet } from '../records/fleet.ts'
import { selectInstances, wanted } from '../records/instance.ts'
import { openOperationOf } from '../records/operation.ts'
import type { Instance } from '../schema.ts'

/** How often the containers on the engine are compared with the records. */
export const compareEveryMs = 15 * 60_000

/** A container that does not fit the records. */
export interface Orphan {
  container: string
  instanceId: string
  running: boolean
  /** Why it should not be there, in words for an operator. */
  why: string
}

/** What the last comparison found. Nothing is removed: the operator decides about containers that no record explains. */
export class Orphans {
  #found: readonly Orphan[] = []

  get found(): readonly Orphan[] {
    return this.#found
  }

  /** One sentence for the pages; null when there are none. */
  get warning(): string | null {
    if (this.#found.length === 0) return null
    const listed = this.#found.slice(0, 5).map(({ container, why }) => `${container} (${why})`)
    const more = this.#found.length - listed.length
    return `Docker has containers that do not fit the records: ${listed.join(', ')}${more > 0 ? `, and ${more} more` : ''}. Look at them with docker inspect, and remove what is not needed.`
  }

  /** Compares the containers of this data root with the records. Throws when the engine cannot be asked. */
  async compare(fleet: Fleet, log: Logger): Promise<void> {
    const there = await fleet.driver.existing(fleet.site.dataRoot)
    // Read after the engine was asked: a new instance is in the records before it has a container.
    const records = new Map(
      selectInstances(fleet.db)
        .all()
        .map(each => [each.id, each]),
    )
    const found = there.flatMap(({ instanceId, container, active }): Orphan[] => {
      const record = records.get(instanceId)
      if (record && openOperationOf(fleet.db, instanceId)) return []
      const why = faultOf(record, active)
      return why === null ? [] : [{ container, instanceId, running: active, why }]
    })
    const known = new Set(this.#found.map(({ container, why }) => `${container} ${why}`))
    for (const orphan of found)
      if (!known.has(`${orphan.container} ${orphan.why}`))
        log.warn({ ...orphan }, 'a container does not fit the records')
    this.#found = found
  }
}

function faultOf(record: Instance | undefined, active: boolean): string | null {
  if (!record) return 'no record has its instance'
  if (record.purgedAt !== null) return 'its instance was deleted for good'
  if (record.status === 'deleted') return 'its instance was removed'
  if (active && record.status === 'stopped' && wanted(record) === 'stopped')
    return 'it runs though its instance is stopped'
  return null
}
