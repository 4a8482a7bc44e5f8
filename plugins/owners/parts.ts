import type { Clock } from '../../src/clock.ts'
import type { AppContext } from '../../src/http/route.ts'
import type { AuthService } from '../auth/contract.ts'
import type { OwnedInstances, ProvisionerService } from '../provisioner/contract.ts'
import type { Site } from '../site/contract.ts'

/** What the owner's routes need. */
export interface OwnerParts {
  auth: AuthService
  provisioner: ProvisionerService
  site: Site
  clock: Clock
}

/** The instances of the signed-in owner. Ids from URLs are looked up only among these. */
export function ownInstances({ auth, provisioner }: OwnerParts, c: AppContext): OwnedInstances {
  return provisioner.owned(auth.accountOf(c))
}

/** What pages say before a removal: how long data is kept, and the plan or trial that continues. */
export function endings(parts: OwnerParts, c: AppContext): { keptMs: number | null; plan: string | null } {
  return { keptMs: parts.provisioner.retentionMs, plan: ownInstances(parts, c).limit().by }
}
