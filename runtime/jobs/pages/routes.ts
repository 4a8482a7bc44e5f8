import type { Route } from '../../../src/http/route.ts'
import { codeRoutes } from './code.ts'
import { jobRoutes } from './job-routes.ts'
import type { JobsWeb } from './jobs-web.ts'
import { runFormRoutes } from './run-form.tsx'
import { runPageRoutes } from './run-pages.tsx'
import { runRoutes } from './run-routes.ts'
import { scheduleRoutes } from './schedule.ts'

/** All routes of the jobs. */
export function jobsRoutes(web: JobsWeb): Route[] {
  return [
    ...codeRoutes(web),
    ...jobRoutes(web),
    ...runRoutes(web),
    ...scheduleRoutes(web),
    ...runPageRoutes(web),
    ...runFormRoutes(web),
  ]
}
