import { z } from 'zod'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import { RunFormPage } from '../../../views/instance/jobs/run-form-page.tsx'
import { formFields, readForm } from '../../params/form.ts'
import { type JsonSchema, propertiesOf } from '../../params/json-schema.ts'
import { show } from '../../web/show.ts'
import type { Job } from '../contract.ts'
import type { JobsWeb } from './jobs-web.ts'

const params = z.object({ id: z.string() })
/** Prefix of parameter names, so that none collides with other fields. */
const prefix = 'param.'

/** The form to run a job with parameters. Programs send them to `POST /api/jobs/{id}/run`. */
export function runFormRoutes({ jobs, access, address }: JobsWeb): Route[] {
  const { signedIn, mayRun } = access
  const page = (
    c: AppContext,
    job: Job,
    fields: Parameters<typeof RunFormPage>[0]['fields'],
    status = 200,
  ) => {
    c.status(status as 200)
    return show(c, <RunFormPage job={job} prefix={prefix} fields={fields} script={script(address, job)} />, {
      title: `Run ${job.id}`,
      current: '/',
    })
  }

  return [
    route({
      method: 'get',
      path: '/jobs/{id}/run',
      summary: 'The form to run a job with parameters',
      guard: signedIn,
      pageOnly: true,
      params,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: (c, { params: { id } }) => {
        const job = jobs.list.known(id)
        return page(c, job, formFields(schemaOf(job), null))
      },
    }),

    route({
      method: 'post',
      path: '/jobs/{id}/run',
      summary: 'Run a job with parameters',
      guard: mayRun,
      pageOnly: true,
      params,
      body: z.looseObject({}),
      answers: {
        303: { description: 'To the run' },
        422: { description: 'The form again', type: 'text/html' },
      },
      handle: (c, { params: { id }, body }) => {
        const job = jobs.list.known(id)
        const typed = Object.fromEntries(
          Object.entries(body).flatMap(([name, value]) =>
            name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
          ),
        )
        const read = readForm(schemaOf(job), typed)
        if (read.faults.length > 0) return page(c, job, formFields(schemaOf(job), typed, read.faults), 422)
        const run = jobs.runs.start(id, { trigger: 'manual', params: read.params })
        return c.redirect(`/runs/${run.id}`, 303)
      },
    }),
  ]
}

function schemaOf(job: Job): JsonSchema {
  return job.params?.schema ?? { type: 'object' }
}

function script(origin: string, job: Job): string {
  const known = propertiesOf(schemaOf(job)).flatMap(([name, { default: standard }]) =>
    standard === undefined ? [] : [[name, standard]],
  )
  const body = JSON.stringify({ params: Object.fromEntries(known) }).replaceAll("'", "'\\''")
  return `curl -H 'Authorization: Bearer lht_…' \\\n${origin}/api/jobs/${job.id}/run \\\n-d '${body}'`
}
