import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { listWindow, searchField } from '../../src/http/list-window.ts'
import { type Route, route } from '../../src/http/route.ts'
import type { Check } from '../../src/kernel/plugin.ts'
import { GoneJobPage } from '../../views/instance/jobs/gone-job-page.tsx'
import { JobPage } from '../../views/instance/jobs/job-page.tsx'
import { JobsPage } from '../../views/instance/jobs/jobs-page.tsx'
import type { AuthService } from '../auth/contract.ts'
import type { BadgesService } from '../badges/contract.ts'
import { previewSlots } from '../cron/cron.ts'
import type { JobsService } from '../jobs/contract.ts'
import type { StateService } from '../state/contract.ts'
import { withExcerpts } from '../web/manifest-excerpts.ts'
import { show } from '../web/show.ts'
import { comingDay, pastDay } from './coming-day.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }
const params = z.object({ id: z.string() })
const pictured = 40
const listed = 25
const jobsListed = 100

export interface PageParts {
  auth: AuthService
  jobs: JobsService
  state: Pick<StateService, 'list'>
  badges: BadgesService
  checks: () => ReadonlyMap<string, Check>
  clock: Clock
  /** The folder of the jobs repo, for the lines around an error. */
  repoFolder: string
  /** The instance's, for the addresses of badges. */
  address: string
}

/** The pages for people. What htmx asks for again is the same page without its frame. */
export function pageRoutes(parts: PageParts): Route[] {
  const { jobs, state, badges, checks, clock, repoFolder, address } = parts
  const { signedIn: guard, firstPage } = parts.auth
  const coming = comingDay(clock)

  const view = () => withExcerpts(repoFolder, jobs.manifest.state())

  const runsOf = async (jobId: string, search: string, offset: number) => {
    if (!search)
      return { ...jobs.runs.list({ jobId, limit: listed, offset }), complete: true, matches: new Map() }
    const options = { jobId, words: search, limit: listed, offset }
    const { found, ...rest } = await jobs.logs.search(options)
    const matches = new Map(found.map(({ run, match }) => [run.id, match]))
    return { ...rest, runs: found.map(({ run }) => run), matches }
  }

  return [
    route({
      method: 'get',
      path: '/',
      summary: 'All jobs',
      guard: firstPage,
      pageOnly: true,
      query: listWindow(1).pick({ offset: true }).extend({ search: searchField }),
      answers: page,
      handle: async (c, { query: { offset, search } }) => {
        const trouble = await failingChecks(checks())
        const { jobs: found, total } = jobs.list.find({ search, limit: jobsListed, offset })
        const recent = jobs.runs.recent(
          found.map(job => job.id),
          16,
        )
        const content = (
          <JobsPage
            now={clock.now()}
            manifest={view()}
            trouble={trouble}
            jobs={found.map(job => ({ ...job, recent: recent.get(job.id) ?? [] }))}
            list={{ search, total, limit: jobsListed, offset }}
            day={coming(found)}
            past={pastDay(jobs.slots, found, clock.now())}
          />
        )
        return show(c, content, { title: 'Jobs', refresh: 10, current: '/' })
      },
    }),

    route({
      method: 'get',
      path: '/jobs/{id}',
      summary: 'One job',
      guard,
      pageOnly: true,
      params,
      query: listWindow(listed).pick({ offset: true }).extend({ search: searchField }),
      answers: page,
      handle: async (c, { params: { id }, query: { offset, search } }) => {
        const history = {
          now: clock.now(),
          manifest: view(),
          recent: jobs.runs.list({ jobId: id, limit: pictured, offset: 0 }).runs,
          list: { ...(await runsOf(id, search, offset)), limit: listed, offset, search },
          slots: jobs.slots.list(id, { limit: 8 }).slots,
        }
        const job = jobs.list.one(id)
        if (!job) {
          jobs.list.everKnown(id)
          const content = <GoneJobPage {...history} id={id} />
          return show(c, content, { title: id, refresh: 10, current: '/' })
        }
        const schedule = { cron: job.cron, timezone: job.timezone }
        const content = (
          <JobPage
            {...history}
            job={job}
            upcoming={job.enabled ? previewSlots(schedule, clock.now(), 5) : []}
            state={state.list(id)}
            badge={{ public: badges.isPublic(id), src: `${address}/badges/${id}.svg` }}
          />
        )
        return show(c, content, { title: id, ...(search ? {} : { refresh: 10 }), current: '/' })
      },
    }),
  ]
}

/** What the checks that fail say. */
async function failingChecks(checks: ReadonlyMap<string, Check>): Promise<string[]> {
  const asked = [...checks.values()].map(async check => check())
  const answers = await Promise.allSettled(asked)
  return answers.flatMap(answer => (answer.status === 'rejected' ? [(answer.reason as Error).message] : []))
}
