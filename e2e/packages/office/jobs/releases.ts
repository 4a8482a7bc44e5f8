import { Octokit } from '@octokit/rest'
import PQueue from 'p-queue'
import { Agent, interceptors, request } from 'undici'
import { startGitHub } from '../servers/github'

const projects = ['example/tea', 'example/cake', 'example/bread', 'example/gone']

export default async function releases() {
  // GitHub, as far as this job asks it.
  const github = await startGitHub()
  const octokit = new Octokit({ baseUrl: github.url, auth: 'token', log: { ...console, error() {} } })
  const queue = new PQueue({ concurrency: 2 })
  let most = 0
  const found = await Promise.all(
    projects.map(project =>
      queue.add(async () => {
        most = Math.max(most, queue.pending)
        const [owner = '', repo = ''] = project.split('/')
        try {
          const all = await octokit.paginate(octokit.rest.repos.listReleases, { owner, repo, per_page: 1 })
          return [project, all.map(({ tag_name }) => tag_name)]
        } catch (error) {
          return [project, (error as { status?: number }).status]
        }
      }),
    ),
  )
  const agent = new Agent({ connections: 1 }).compose(interceptors.responseError())
  const url = `${github.url}/repos/example/gone/releases`
  const refused = await request(url, { dispatcher: agent }).catch((error: Error) => error.name)
  await agent.close()
  github.stop()
  return { found, refused, most }
}
