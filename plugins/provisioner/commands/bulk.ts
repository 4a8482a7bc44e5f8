import { setImmediate as nextTick } from 'node:timers/promises'
import { Problem } from '../../../src/http/problem.ts'
import { notPossibleNow } from '../contract.ts'
import type { Fleet } from '../records/fleet.ts'
import { requireInstance } from '../records/instance.ts'
import { request } from './commands.ts'

export const bulkActions = ['start', 'stop', 'restart', 'backup', 'upgrade'] as const
/** What can be done to several instances at once. */
export type BulkAction = (typeof bulkActions)[number]

/** Instances that one request may be about. */
export const mostAtOnce = 1000
/** Instances in one transaction: requests are answered between transactions. */
const inOneTransaction = 16

/** What became of one instance: `unchanged` is what was so already. */
export interface BulkResult {
  subdomain: string
  result: 'accepted' | 'unchanged' | 'refused'
  operationId: string | null
  /** Why it was refused, in words; null otherwise. */
  detail: string | null
}

/**
 * Requests the same of several instances, each as if alone and recorded as that. One that refuses keeps no other from it. `image` is
 * what an upgrade brings. `begun` is called after each transaction.
 */
export async function requestAll(
  fleet: Fleet,
  subdomains: readonly string[],
  { action, image, begun }: { action: BulkAction; image: string; begun(): void },
): Promise<BulkResult[]> {
  const results: BulkResult[] = []
  for (let from = 0; from < subdomains.length; from += inOneTransaction) {
    if (from > 0) await nextTick()
    const some = subdomains.slice(from, from + inOneTransaction)
    fleet.db.transaction(() => {
      for (const subdomain of some) results.push(requestOne(fleet, subdomain, action, image))
    })
    begun()
  }
  return results
}

function requestOne(fleet: Fleet, subdomain: string, action: BulkAction, image: string): BulkResult {
  try {
    const operationId =
      action === 'backup'
        ? copy(fleet, subdomain)
        : request(fleet, subdomain, action, action === 'upgrade' ? { image } : {}).operationId
    const accepted = action === 'backup' || operationId !== null
    return { subdomain, result: accepted ? 'accepted' : 'unchanged', operationId, detail: null }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { subdomain, result: 'refused', operationId: null, detail: error.detail }
  }
}

/** Has a copy made soon. */
function copy(fleet: Fleet, subdomain: string): null {
  const instance = requireInstance(fleet.db, subdomain)
  const copies = fleet.copies()
  const fault = copies ? copies.overview(instance.id).fault : 'nothing makes backups here'
  if (!copies || fault !== null) throw notPossibleNow(`No backup can be made: ${fault}`)
  if (instance.readyAt === null) throw notPossibleNow(`"${subdomain}" has no data to back up yet.`)
  copies.request(instance, 'demand')
  fleet.changed({ instanceId: instance.id, subdomain, change: 'copy', operationId: null, result: 'accepted' })
  return null
}
