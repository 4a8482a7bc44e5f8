import type { LimitsOfPlan } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { getInstance, updateInstance, wanted } from '../records/instance.ts'
import { openOperation, openOperationOf, owedCopyOf } from '../records/operation.ts'
import type { Instance } from '../schema.ts'

/**
 * Sets what an instance may use of the host; null for the default. A running instance is restarted with the new limits; while
 * an operation is open, they apply from the next restart on. Returns false when nothing changed.
 */
export function limitInstance(fleet: Fleet, id: string, limits: LimitsOfPlan | null): boolean {
  const { db, clock } = fleet
  return db.transaction(() => {
    const instance = getInstance(db, id)
    const change = {
      memoryBytes: limits?.memoryBytes ?? null,
      cpus: limits?.cpus ?? null,
      pids: limits?.pids ?? null,
      diskBytes: limits?.diskBytes ?? null,
      runsAtOnce: limits?.runsAtOnce ?? null,
    }
    if (sameLimits(instance, change)) return false
    updateInstance(db, id, { ...change, settings: null })
    // One that waits for its copy before it goes to another owner starts after that, with these.
    const isBusy = openOperationOf(db, id) !== null || owedCopyOf(fleet, instance) !== null
    const restarts = wanted(instance) === 'running' && !isBusy
    const operation = { instanceId: id, kind: 'restart', image: null } as const
    const operationId = restarts ? openOperation(fleet, operation, clock.now()) : null
    fleet.changed({
      ...{ instanceId: id, subdomain: instance.subdomain, change: 'limit', operationId },
      result: restarts ? 'accepted' : 'done',
      detail: limits ? limitsInWords(limits) : 'the default limits',
    })
    return true
  })
}

const limitNames = ['memoryBytes', 'cpus', 'pids', 'diskBytes', 'runsAtOnce'] as const
type Limits = Pick<Instance, (typeof limitNames)[number]>

/** Whether two records have the same limits. */
export function sameLimits(one: Limits, other: Limits): boolean {
  return limitNames.every(name => one[name] === other[name])
}

const limitWords = {
  memoryBytes: 'bytes of memory',
  cpus: 'CPUs',
  pids: 'processes',
  diskBytes: 'bytes of disk',
  runsAtOnce: 'runs at a time',
} as const

function limitsInWords(limits: LimitsOfPlan): string {
  const set = limitNames.filter(name => limits[name] !== undefined)
  return set.map(name => `${limits[name]} ${limitWords[name]}`).join(', ')
}
