import type { Route } from '../../src/http/route.ts'
import { bulkRoute } from './list/bulk-routes.tsx'
import { listRoute, restartOutdatedRoute } from './list/list-routes.ts'
import type { ProvisionerRoutes } from './pages/answer.ts'
import { newInstancePageRoute, provisionRoute } from './pages/creation-routes.ts'
import { environmentRoutes } from './pages/environment-routes.tsx'
import { historyRoute } from './pages/history-route.ts'
import {
  instanceRoute,
  operationDetailsRoute,
  operationRoute,
  resetPasswordRoute,
  rollbackRoute,
  upgradeRoute,
} from './pages/instance-routes.ts'
import { logRoute } from './pages/log-routes.tsx'
import { orphanRoutes } from './pages/orphan-routes.tsx'
import { instancePages } from './pages/pages.tsx'
import { paymentRoutes } from './pages/payment-routes.ts'
import { removalRoutes } from './pages/removal-routes.ts'

import { pruningRoutes } from './pruning/pruning-routes.tsx'

/** The operator's side of the provisioner, for scripts and for people. */
export function provisionerRoutes(parts: ProvisionerRoutes): Route[] {
  const pages = instancePages(parts)
  return [
    listRoute(parts),
    bulkRoute(parts),
    restartOutdatedRoute(parts),
    provisionRoute(parts, pages),
    newInstancePageRoute(parts, pages),
    instanceRoute(parts, pages),
    historyRoute(parts),
    logRoute(parts),
    ...orphanRoutes(parts),
    ...environmentRoutes(parts),
    ...pruningRoutes(parts),
    operationRoute(parts, 'start', 'Start an instance'),
    operationRoute(parts, 'stop', 'Stop an instance; its data stays'),
    operationRoute(parts, 'restart', 'Restart an instance'),
    upgradeRoute(parts),
    rollbackRoute(parts),
    resetPasswordRoute(parts, pages),
    ...removalRoutes(parts, pages),
    ...paymentRoutes(parts),
    operationDetailsRoute(parts),
  ]
}
