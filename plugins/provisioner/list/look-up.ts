import type { ProvisionerService } from '../contract.ts'
import { type RetentionSettings, summaryOf } from '../reconciler/retention.ts'
import type { Fleet } from '../records/fleet.ts'
import {
  findBySubdomain,
  findInstance,
  listSeen,
  requireInstance,
  type SeenInstance,
  subdomainsOf,
} from '../records/instance.ts'

type LookUp = Pick<ProvisionerService, 'instances' | 'instance' | 'bySubdomain' | 'byId' | 'subdomainsOf'>

/** How other plugins find instances. Each way but `instances` reads only what it returns. */
export function lookUp({ db, site, clock }: Fleet, retention: RetentionSettings): LookUp {
  const summary = (instance: SeenInstance) => summaryOf(instance, site.dataRoot, retention, clock.now())
  return {
    instances: () => listSeen(db).map(summary),
    instance: subdomain => summary(requireInstance(db, subdomain)),
    bySubdomain: subdomain => {
      const found = findBySubdomain(db, subdomain)
      return found && summary(found)
    },
    byId: id => {
      const found = findInstance(db, id)
      return found && found.purgedAt === null ? summary(found) : null
    },
    subdomainsOf: ids => subdomainsOf(db, ids),
  }
}
