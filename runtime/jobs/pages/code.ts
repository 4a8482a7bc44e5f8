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
    .meta({ description: '`none` when package.json lists no packages that jobs need' }),
  command: z.string().nullable(),
  started_at: time,
  finished_at: time,
  output: z.string().meta({ description: 'The end of npm’s output' }),
  error: z.string().nullable().meta({ description: 'Why the installation failed, and what to do' }),
  next_try_at: time.meta({
    description: 'When a failed installation is retried; null when only a change or a request starts another',
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

/** Routes of the manifest: its state, confirming a change, retrying an installation. */
export function codeRoutes({ jobs, packages, access: { signedIn } }: JobsWeb): Route[] {
  const install = async () => {
    packages.clearFailure()
    await jobs.manifest.reload()
    return packages.state()
  }
  const installation = '/api/jobs/repo/packages'

  return [
    route({
      method: 'post',
      path: '/api/jobs/repo/confirm',
      summary: 'Confirm the change that waits for confirmation, if there is one',
      guard: signedIn,
      answers: {
        200: { description: 'The state of the manifest', schema: manifestShape },
        303: { description: 'For a browser: back to the page' },
      },
      handle: async c => {
        const state = await jobs.manifest.confirm()
        return wantsPage(c) ? c.redirect('/repo', 303) : c.json(manifestJson(state))
      },
    }),

    route({
      method: 'get',
      path: installation,
      summary: 'The state of the packages in package.json',
      guard: signedIn,
      answers: { 200: { description: 'The state of the packages', schema: packagesShape } },
      handle: c => c.json(packagesJson(packages.state())),
    }),

    route({
      method: 'post',
      path: `${installation}/install`,
      summary:
        'Install missing packages now, even after a failure; with `Prefer: wait=N` answers when the installation has ended, or after N seconds',
      guard: signedIn,
      answers: {
        200: { description: 'The installation has ended', schema: packagesShape },
        202: { description: 'The installation is in progress', schema: packagesShape },
        303: { description: 'For a browser: back to the page' },
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
