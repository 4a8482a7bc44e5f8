import { z } from 'zod'
import { listWindow, searchField } from '../../src/http/list-window.ts'
import { type Route, route } from '../../src/http/route.ts'
import { GoneJobPage } from '../../views/runtime/gone-job-page.tsx'
import { JobPage } from '../../views/runtime/job-page.tsx'
import { JobsPage } from '../../views/runtime/jobs-page.tsx'
import { RepoPage } from '../../views/runtime/repo-page.tsx'
import type { Engine } from '../contract.ts'
import { previewSlots } from '../jobs/cron.ts'
import { comingDay, pastDay } from './coming-day.ts'
import type { WebContext } from './context.ts'
import { hasHistory } from './jobs.ts'
import { searchRuns } from './log-search.ts'
import { manifestView } from './manifest-view.ts'
import { show } from './show.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }
const params = z.object({ id: z.string() })
const pictured = 40
const listed = 25
const jobsListed = 100

/** The pages for people. What htmx asks for again is the same page without its frame. */
export function pageRoutes(web: WebContext): Route[] {
  const { engine, signedIn: guard, clock, repoFolder } = web
  const coming = comingDay(clock)

  const view = () => manifestView(repoFolder, engine().manifest())

  const runsOf = async (jobId: string, search: string, offset: number) => {
    if (!search)
      return { ...engine().runs({ jobId, limit: listed, offset }), complete: true, matches: new Map() }
    const options = { jobId, words: search, limit: listed, offset }
    const { found, ...rest } = await searchRuns(engine(), options)
    const matches = new Map(found.map(({ run, match }) => [run.id, match]))
    return { ...rest, runs: found.map(({ run }) => run), matches }
  }

  return [
    route({
      method: 'get',
      path: '/',
      summary: 'All jobs',
      guard: web.front,
      pageOnly: true,
      query: listWindow(1).pick({ offset: true }).extend({ search: searchField }),
      answers: page,
      handle: async (c, { query: { offset, search } }) => {
        const trouble = await failingChecks(engine())
        const { jobs, total } = engine().findJobs({ search, limit: jobsListed, offset })
        const recent = engine().recentRuns(
          jobs.map(job => job.id),
          16,
        )
        const content = (
          <JobsPage
            now={clock.now()}
            manifest={view()}
            trouble={trouble}
            jobs={jobs.map(job => ({ ...job, recent: recent.get(job.id) ?? [] }))}
            list={{ search, total, limit: jobsListed, offset }}
            day={coming(jobs)}
            past={pastDay(engine(), jobs, clock.now())}
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
          recent: engine().runs({ jobId: id, limit: pictured, offset: 0 }).runs,
          list: { ...(await runsOf(id, search, offset)), limit: listed, offset, search },
          slots: engine().slots(id, { limit: 8 }).slots,
        }
        const job = engine().job(id)
        if (!job) {
          hasHistory(engine(), id)
          const content = <GoneJobPage {...history} id={id} />
          return show(c, content, { title: id, refresh: 10, current: '/' })
        }
        const schedule = { cron: job.cron, timezone: job.timezone }
        const content = (
          <JobPage
            {...history}
            job={job}
            upcoming={job.enabled ? previewSlots(schedule, clock.now(), 5) : []}
            state={engine().state.list(id)}
            badge={{ public: web.badges.isPublic(id), src: `${web.origin}/badges/${id}.svg` }}
          />
        )
        return show(c, content, { title: id, ...(search ? {} : { refresh: 10 }), current: '/' })
      },
    }),

    route({
      method: 'get',
      path: '/repo',
      summary: 'The jobs repo',
      guard,
      pageOnly: true,
      answers: page,
      handle: async c => {
        const repo = await engine().repo()
        const content = (
          <RepoPage
            now={clock.now()}
            repo={repo}
            manifest={view()}
            folder={repoFolder}
            packages={engine().packages()}
          />
        )
        const installing = engine().packages().status === 'installing'
        return show(c, content, {
          title: 'Jobs repo',
          ...(installing ? { refresh: 3 } : {}),
          current: '/repo',
        })
      },
    }),
  ]
}

/** What the checks that fail say. */
async function failingChecks({ checks }: Engine): Promise<string[]> {
  const asked = [...checks.values()].map(async check => check())
  const answers = await Promise.allSettled(asked)
  return answers.flatMap(answer => (answer.status === 'rejected' ? [(answer.reason as Error).message] : []))
}
