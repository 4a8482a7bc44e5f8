import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { JobContext, JobRegistry, ParamsOf } from './jobs.js'

/** Checked by the compiler: `npm run check` fails if one of these types is wrong. */
function typedFields(jobRegistry: JobRegistry): void {
  jobRegistry.register({
    id: 'plain',
    cron: '@daily',
    params: {
      name: 'string',
      count: { type: 'number', default: 3 },
      kind: ['a', 'b'],
      note: { type: 'text', optional: true },
    },
    secrets: ['API_TOKEN'],
    func: ({ params, secrets }) => {
      const count: number = params.count
      const kind: 'a' | 'b' = params.kind
      const note: string | undefined = params.note
      const token: string = secrets.API_TOKEN
      // @ts-expect-error a name is text
      const wrong: number = params.name
      // @ts-expect-error it is not declared
      void secrets.OTHER
      // @ts-expect-error there is no such parameter
      void params.other
      return [count, kind, note, token, wrong]
    },
  })
  jobRegistry.register({
    id: 'zod',
    cron: '@daily',
    params: z.object({ since: z.string().transform(text => new Date(text)), count: z.number().default(1) }),
    func: ({ params }) => params.since.getTime() + params.count,
  })

  // A function that stands in a file of its own.
  const params = { count: 'integer', dry: { type: 'boolean', default: false } } as const
  const run = (context: JobContext<ParamsOf<typeof params>, 'A' | 'B'>) =>
    context.params.dry ? context.params.count : context.secrets.A
  jobRegistry.register({ id: 'apart', cron: '@daily', params, secrets: ['A', 'B'], func: run })
  // @ts-expect-error B is not declared
  jobRegistry.register({ id: 'apart', cron: '@daily', params, secrets: ['A'], func: run })
  // @ts-expect-error the shape lacks what the function reads
  jobRegistry.register({ id: 'apart', cron: '@daily', params: {}, secrets: ['A', 'B'], func: run })

  // A function that knows nothing of either.
  const any = (context: JobContext) => context.params.anything ?? context.run.id
  jobRegistry.register({ id: 'any', cron: '@daily', func: any })
  jobRegistry.register({ id: 'any', cron: '@daily', func: any, params, secrets: ['A'] })
  jobRegistry.register({ id: 'none', cron: '@daily', func: () => 1, params: undefined, secrets: undefined })
  // @ts-expect-error no such type
  jobRegistry.register({ id: 'wrong', cron: '@daily', func: any, params: { name: 'strnig' } })
}

test('the types of a job come from its own fields', () => {
  assert.equal(typeof typedFields, 'function')
})
