import { z } from 'zod'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type Route, route } from '../../src/http/route.ts'
import { UncommittedPage } from '../../views/instance/repo/uncommitted-page.tsx'
import { manifestJson, manifestShape } from '../jobs/contract.ts'
import { withExcerpts } from '../web/manifest-excerpts.ts'
import { show } from '../web/show.ts'
import { within } from '../web/within.ts'
import type { FilesWeb } from './files-web.ts'
import { fileChangeShape } from './history.tsx'

const hashField = z
  .string('must be the hash of the edit, as it is listed, or null for a deleted file')
  .regex(/^([0-9a-f]{40})?$/, 'must be the hash of the edit, as it is listed')
  .nullable()
  .transform(hash => hash || null)
  .meta({ description: 'Hash of the edit as it is listed, null for a deleted file; a newer edit is kept' })

/** Routes of the edits that are in no commit. */
export function uncommittedRoutes({ jobs, repo, clock, repoFolder, patience, access }: FilesWeb): Route[] {
  const { signedIn: guard } = access
  return [
    route({
      method: 'get',
      path: '/api/jobs/repo/uncommitted',
      summary: 'The edits that are in no commit, because they do not load or were made a moment ago',
      guard,
      answers: {
        200: {
          description: 'The files that differ from the last commit',
          schema: z.object({
            files: z.array(
              fileChangeShape.extend({
                hash: z
                  .string()
                  .nullable()
                  .meta({ description: 'Names the content; null for a deleted file' }),
              }),
            ),
            more: z.boolean().meta({ description: 'True when more files have edits than are listed' }),
            obstacle: z.string().nullable().meta({ description: 'Why the files cannot be compared' }),
          }),
        },
      },
      handle: async c => c.json(await repo.history.uncommitted()),
    }),

    route({
      method: 'post',
      path: '/api/jobs/repo/uncommitted/discard',
      summary: 'Discard the edit of a file: it becomes what it is in the last commit',
      guard,
      body: z.strictObject({ path: z.string('must be the path of the file'), hash: hashField }),
      answers: {
        200: {
          description: 'Discarded; `manifest` says what is live',
          schema: z.object({ manifest: manifestShape }),
        },
        303: { description: 'For a browser: to the remaining edits' },
        404: { description: 'The file has no edit' },
        409: { description: 'The file was edited meanwhile, or git is busy; nothing was discarded' },
      },
      handle: async (c, { body: { path, hash } }) => {
        c.set('about', path)
        const state = await within(patience.apiMs, jobs.edits.discard(path, hash))
        if (wantsPage(c)) return c.redirect('/repo/uncommitted', 303)
        return c.json({ manifest: manifestJson(state ?? jobs.manifest.state()) })
      },
    }),

    route({
      method: 'get',
      path: '/repo/uncommitted',
      summary: 'The edits that are in no commit',
      guard,
      pageOnly: true,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: async c => {
        const edits = await repo.history.uncommitted()
        const manifest = withExcerpts(repoFolder, jobs.manifest.state())
        const content = <UncommittedPage now={clock.now()} manifest={manifest} edits={edits} />
        return show(c, content, { title: 'Uncommitted changes', current: '/repo' })
      },
    }),
  ]
}
