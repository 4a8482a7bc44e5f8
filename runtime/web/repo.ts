import { wantsPage } from '../../src/http/negotiate.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import type { WebContext } from './context.ts'
import { repoJson, repoShape } from './wire.ts'

/** The jobs repo. A stranger learns only whether there is one. */
export function repoRoutes(web: WebContext): Route[] {
  const { engine, signedIn } = web

  return [
    route({
      method: 'get',
      path: '/api/jobs/repo',
      summary: 'State of the jobs repo; without a login only `initialized`',
      guard: open,
      answers: {
        200: { description: 'Its state', schema: repoShape.partial().required({ initialized: true }) },
      },
      handle: async c => {
        c.header('Cache-Control', 'no-store')
        const repo = repoJson(await engine().repo())
        return c.json(web.knows(c) ? repo : { initialized: repo.initialized })
      },
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/init',
      summary: 'Make the jobs repo where there is none; does nothing where there is one',
      guard: signedIn,
      answers: {
        200: { description: 'Its state', schema: repoShape },
        303: { description: 'For a browser' },
      },
      handle: async c => {
        const repo = await engine().initRepo()
        return wantsPage(c) ? c.redirect('/repo', 303) : c.json(repoJson(repo))
      },
    }),
  ]
}
