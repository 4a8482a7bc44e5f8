import type { Route } from '../../src/http/route.ts'
import { incidentRoutes } from './incident-routes.tsx'
import type { NoticesWeb } from './notices-web.ts'
import { noticeSettingsRoutes } from './settings-routes.tsx'

export function noticeRoutes(web: NoticesWeb): Route[] {
  return [...noticeSettingsRoutes(web), ...incidentRoutes(web)]
}
