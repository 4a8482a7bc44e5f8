import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { preferredWait, wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import type { PackagesState } from '../../packages/contract.ts'
import { within } from '../../web/within.ts'
import { manifestJson, manifestShape } from '../manifest-wire.ts'
import type { JobsWeb } from './jobs-web.ts'

const time = z.iso.datetime().nullable()

const packagesShape = z.object({
  status: z
    .enum(['none', 'installed', 'installing', 'failed'])
    .meta({ description: '`none` when package.json asks for nothing that jobs need' }),
  command: z.string().nullable(),
  started_at: time,
  finished_at: time,
  output: z.string().meta({ description: 'The end of what it printed' }),
  error: z.string().nullable().meta({ description: 'Why it failed, and what to do' }),
  next_try_at: time.meta({
    description:
      'When an installation that failed because of the network is retried; null when it waits for a change or for you',
  }),
})

function packagesJson(state: PackagesState): z.input<typeof packagesShape> {
  const { status, command, startedAt, finishedAt, output, error, nextTryAt } = state
  return {
    status,
    command,
    started_at: timestamp(startedAt),
    finished_at: timestamp(finishedAt),
    output,
    error,
    next_try_at: timestamp(nextTryAt),
  }
}

/** What stands between the files of the jobs repo and the jobs that run. */
export function codeRoutes({ jobs, packages, access: { signedIn } }: JobsWeb): Route[] {
  const install = async () => {
    packages.forgive()
    await jobs.manifest.reload()
    return packages.state()
  }
  const installation = '/api/jobs/repo/packages'

  return [
    route({
      method: 'post',
      path: '/api/jobs/repo/confirm',
      summary: 'Confirm the change that is held back; does nothing when there is none',
      guard: signedIn,
      answers: {
        200: { description: 'The manifest’s state after it', schema: manifestShape },
        303: { description: 'For a browser' },
      },
      handle: async c => {
        const state = await jobs.manifest.confirm()
        return wantsPage(c) ? c.redirect('/repo', 303) : c.json(manifestJson(state))
      },
    }),

    route({
      method: 'get',
      path: installation,
      summary: 'The installation of the packages in package.json',
      guard: signedIn,
      answers: { 200: { description: 'Their state', schema: packagesShape } },
      handle: c => c.json(packagesJson(packages.state())),
    }),

    route({
      method: 'post',
      path: `${installation}/install`,
      summary: 'Install missing packages now, also after a failure; `Prefer: wait=N` waits for the end',
      guard: signedIn,
      answers: {
        200: { description: 'It has ended', schema: packagesShape },
        202: { description: 'It goes on', schema: packagesShape },
        303: { description: 'For a browser' },
      },
      handle: async c => {
        const waitMs = wantsPage(c) ? 500 : preferredWait(c) * 1000
        const ended = await within(waitMs, install())
        if (wantsPage(c)) return c.redirect('/repo', 303)
        if (ended) return c.json(packagesJson(ended))
        c.header('Location', installation)
        return c.json(packagesJson(packages.state()), 202)
      },
    }),
  ]
}
