import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type Route, route } from '../../src/http/route.ts'
import { CommitPage } from '../../views/instance/repo/commit-page.tsx'
import { type CommitWay, HistoryPage } from '../../views/instance/repo/history-page.tsx'
import { manifestJson, manifestShape } from '../jobs/contract.ts'
import { type CommitInfo, fileChangeKinds, unknownCommit } from '../repo/contract.ts'
import { authorOf } from '../web/author.ts'
import { withExcerpts } from '../web/manifest-excerpts.ts'
import { show } from '../web/show.ts'
import { within } from '../web/within.ts'
import type { FilesWeb } from './files-web.ts'

const page = { 200: { description: 'A page', type: 'text/html' } }
export const commitId = z.string().regex(/^[0-9a-f]{40}$/, 'must be the 40 hexadecimal digits of a commit')
const params = z.object({ commit: commitId })
const before = commitId.optional().meta({ description: 'List the commits before this one' })
const listed = 50

const commitShape = z.object({
  commit: z.string(),
  message: z.string(),
  at: z.iso.datetime(),
  author: z.string().meta({ description: 'The author of the change' }),
  author_email: z.string(),
  made_here: z.boolean().meta({ description: 'True when this instance made the commit' }),
  live_at: z.iso.datetime().nullable().meta({ description: 'When the commit went live; null if it did not' }),
  pushed_with: z
    .string()
    .nullable()
    .meta({ description: 'The API token that pushed it, as the head of a push' }),
})

export const fileChangeShape = z.object({
  path: z.string(),
  kind: z.enum(fileChangeKinds),
  hunks: z.array(
    z.object({
      before: z.int().meta({ description: 'The first line in the old file, from 1' }),
      after: z.int().meta({ description: 'The first line in the new file, from 1' }),
      lines: z.array(z.string()).meta({ description: 'The lines, prefixed with a space, `-` or `+`' }),
    }),
  ),
  note: z.string().nullable().meta({ description: 'Why the lines are not shown' }),
})

const detailsShape = commitShape.extend({
  files: z.array(fileChangeShape),
  more: z.boolean().meta({ description: 'True when the commit changed more files than are listed' }),
})

const commitJson = <C extends CommitInfo>({ authorEmail, madeHere, ...info }: C, way: CommitWay) => ({
  ...info,
  author_email: authorEmail,
  made_here: madeHere,
  at: timestamp(info.at),
  live_at: timestamp(way.liveAt),
  pushed_with: way.pushedWith,
})

/** Routes of the history: commits of the jobs repo, and returning to one. */
export function historyRoutes(web: FilesWeb): Route[] {
  const { jobs, repo, clock, repoFolder, patience } = web
  const { signedIn: guard } = web.access
  const waysOf = (commits: readonly string[]): ((commit: string) => CommitWay) => {
    const [live, pushed] = [jobs.manifest.liveSince(commits), web.clone.pushed(commits)]
    return commit => ({
      liveAt: live.get(commit) ?? null,
      pushedWith: pushed.get(commit)?.token ?? null,
    })
  }
  const manifest = () => withExcerpts(repoFolder, jobs.manifest.state())
  const find = async (commit: string) => {
    const found = await repo.history.show(commit)
    if (!found) throw unknownCommit(`The jobs repo has no commit ${commit}.`)
    return found
  }

  return [
    route({
      method: 'get',
      path: '/api/jobs/repo/commits',
      summary: 'The commits of the jobs repo, newest first',
      guard,
      query: z.object({ before }),
      answers: {
        200: {
          description: 'At most fifty commits',
          schema: z.object({ commits: z.array(commitShape), more: z.boolean() }),
        },
      },
      handle: async (c, { query }) => {
        const { commits, more } = await repo.history.list(listed, query.before)
        const way = waysOf(commits.map(({ commit }) => commit))
        return c.json({ commits: commits.map(each => commitJson(each, way(each.commit))), more })
      },
    }),

    route({
      method: 'get',
      path: '/api/jobs/repo/commits/{commit}',
      summary: 'A commit and its changes',
      guard,
      params,
      answers: {
        200: { description: 'The commit', schema: detailsShape },
        404: { description: 'No such commit' },
      },
      handle: async (c, { params: { commit } }) =>
        c.json(commitJson(await find(commit), waysOf([commit])(commit))),
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/commits/{commit}/revert',
      summary: 'Revert all files to an earlier commit, in a new commit',
      guard,
      params,
      answers: {
        200: {
          description: 'Reverted; `manifest` says whether the change is live',
          schema: z.object({ manifest: manifestShape }),
        },
        303: { description: 'For a browser: to the history' },
        404: { description: 'No such commit' },
      },
      handle: async (c, { params }) => {
        const state = await within(patience.apiMs, jobs.edits.revert(params.commit, authorOf(c, web.address)))
        if (wantsPage(c)) return c.redirect('/repo/history', 303)
        return c.json({ manifest: manifestJson(state ?? jobs.manifest.state()) })
      },
    }),

    route({
      method: 'get',
      path: '/repo/history',
      summary: 'The history of the jobs repo',
      guard,
      pageOnly: true,
      query: z.object({ before }),
      answers: page,
      handle: async (c, { query }) => {
        const found = await repo.history.list(listed, query.before)
        const way = waysOf(found.commits.map(({ commit }) => commit))
        const content = (
          <HistoryPage now={clock.now()} manifest={manifest()} first={!query.before} {...found} way={way} />
        )
        return show(c, content, { title: 'History', current: '/repo' })
      },
    }),

    route({
      method: 'get',
      path: '/repo/history/{commit}',
      summary: 'One commit',
      guard,
      pageOnly: true,
      params,
      answers: page,
      handle: async (c, { params }) => {
        const details = await find(params.commit)
        const way = waysOf([params.commit])(params.commit)
        const content = <CommitPage now={clock.now()} manifest={manifest()} details={details} way={way} />
        return show(c, content, { title: details.message.split('\n')[0] || 'Commit', current: '/repo' })
      },
    }),
  ]
}
