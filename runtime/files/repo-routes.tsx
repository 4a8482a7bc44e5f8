import { wantsPage } from '../../src/http/negotiate.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import { RepoPage } from '../../views/instance/repo/repo-page.tsx'
import { keptPackagesJson, keptPackagesShape } from '../packages/contract.ts'
import { repoJson, repoShape } from '../repo/contract.ts'
import { withExcerpts } from '../web/manifest-excerpts.ts'
import { show } from '../web/show.ts'
import type { FilesWeb } from './files-web.ts'

const shape = repoShape.extend({ packages: keptPackagesShape })

/** Routes of the jobs repo. A stranger learns only whether there is one. */
export function repoRoutes(web: FilesWeb): Route[] {
  const { jobs, repo, packages, clock, repoFolder, clone, sdk } = web
  const { signedIn: guard, isAuthenticated } = web.access

  const state = async () => ({
    ...repoJson(await repo.status()),
    packages: keptPackagesJson(packages.state()),
  })

  return [
    route({
      method: 'get',
      path: '/api/jobs/repo',
      summary: 'The state of the jobs repo; only `initialized` without a sign-in',
      guard: open,
      answers: {
        200: { description: 'The jobs repo', schema: shape.partial().required({ initialized: true }) },
      },
      handle: async c => {
        c.header('Cache-Control', 'no-store')
        const all = await state()
        return c.json(isAuthenticated(c) ? all : { initialized: all.initialized })
      },
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/init',
      summary: 'Create the jobs repo if it does not exist',
      guard,
      answers: {
        200: { description: 'The jobs repo', schema: shape },
        303: { description: 'For a browser: back to the page' },
      },
      handle: async c => {
        await repo.init()
        await jobs.manifest.load()
        return wantsPage(c) ? c.redirect('/repo', 303) : c.json(await state())
      },
    }),

    route({
      method: 'get',
      path: '/repo',
      summary: 'The jobs repo',
      guard,
      pageOnly: true,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: async c => {
        const content = (
          <RepoPage
            now={clock.now()}
            repo={await repo.status()}
            manifest={withExcerpts(repoFolder, jobs.manifest.state())}
            clone={clone}
            packages={packages.state()}
            sdk={{ address: sdk.address, named: sdk.namedIn(repoFolder) }}
          />
        )
        const installing = packages.state().status === 'installing'
        return show(c, content, {
          title: 'Jobs repo',
          ...(installing ? { refresh: 3 } : {}),
          current: '/repo',
        })
      },
    }),
  ]
}
