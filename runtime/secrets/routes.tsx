import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, notFound } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import { shortestMasked } from '../../src/masking/mask.ts'
import { SecretsPage, type SecretsPageProps } from '../../views/instance/settings/secrets-page.tsx'
import { secretName, secretNameRule } from '../manifest/secret-names.ts'
import { show } from '../web/show.ts'
import { longestSecret, type SecretInfo, type Secrets, type SecretUser } from './secrets.ts'

const secretShape = z.object({
  name: z.string(),
  set: z.boolean().meta({ description: 'False when jobs declare it but it is not set' }),
  readable: z.boolean().meta({ description: 'False when it cannot be decrypted, because its key is gone' }),
  updated_at: z.iso.datetime().nullable(),
  wanted_by: z.array(z.string()).meta({ description: 'Ids of the jobs that declare it' }),
})

const name = z.string('must be a name').trim().regex(secretName, secretNameRule)
const value = z
  .string('must be the value as a text')
  .min(1, 'must not be empty')
  .refine(
    text => Buffer.byteLength(text) <= longestSecret && !text.includes('\0'),
    `must be text of at most ${longestSecret / 1024} KiB, and no null byte`,
  )
const params = z.object({ name })

/** Named secrets. Their values go in, and never come out. */
export function secretRoutes({
  secrets,
  users,
  guard,
  clock,
}: {
  secrets: Secrets
  /** The jobs that may want some. */
  users: () => Iterable<SecretUser>
  guard: Guard
  clock: Clock
}): Route[] {
  const list = () => secrets.list(users())
  const page = (c: AppContext, form?: SecretsPageProps['form'], status = 200) => {
    c.status(status as 200)
    const content = (
      <SecretsPage now={clock.now()} secrets={list()} form={form} shortestMasked={shortestMasked} />
    )
    return show(c, content, { title: 'Secrets', current: '/secrets' })
  }
  const remove = (c: AppContext, name: string) => {
    const removed = secrets.remove(name)
    if (wantsPage(c)) return c.redirect('/secrets', 303)
    if (!removed) throw notFound(`There is no secret called ${name}.`)
    return c.body(null, 204)
  }

  return [
    route({
      method: 'get',
      path: '/secrets',
      summary: 'Secrets',
      guard,
      pageOnly: true,
      query: z.object({ name: z.string().optional() }),
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: (c, { query }) => page(c, query.name ? { name: query.name, errors: [] } : undefined),
    }),

    route({
      method: 'get',
      path: '/api/secrets',
      summary: 'Names of secrets that are set or that a job declares; never their values',
      guard,
      answers: {
        200: { description: 'The secrets, by name', schema: z.object({ secrets: z.array(secretShape) }) },
      },
      handle: c => c.json({ secrets: list().map(secretJson) }),
    }),

    route({
      method: 'put',
      path: '/api/secrets/{name}',
      summary: 'Set or replace a secret',
      guard,
      params,
      body: z.object({ value }),
      answers: { 200: { description: 'Stored, encrypted', schema: secretShape } },
      handle: (c, { params: { name }, body }) => {
        secrets.set(name, body.value)
        const stored = list().find(each => each.name === name) as SecretInfo
        return c.json(secretJson(stored))
      },
    }),

    route({
      method: 'delete',
      path: '/api/secrets/{name}',
      summary: 'Remove a secret',
      guard,
      params,
      answers: { 204: { description: 'Removed' }, 404: { description: 'No secret has this name' } },
      handle: (c, { params: { name } }) => remove(c, name),
    }),

    route({
      method: 'post',
      path: '/secrets',
      summary: 'Set or replace a secret',
      guard,
      pageOnly: true,
      // A form sends line ends as CR LF, whatever was pasted.
      body: z.object({ name, value: z.preprocess(withoutReturns, value) }),
      answers: { 303: { description: 'Stored' } },
      onInvalid: (c, errors: FieldError[], typed) => page(c, { name: String(typed.name ?? ''), errors }, 422),
      handle: (c, { body }) => {
        secrets.set(body.name, body.value)
        c.set('about', body.name)
        return c.redirect('/secrets', 303)
      },
    }),

    route({
      method: 'post',
      path: '/secrets/{name}/remove',
      summary: 'Remove a secret',
      guard,
      pageOnly: true,
      params,
      answers: { 303: { description: 'Removed' } },
      handle: (c, { params: { name } }) => remove(c, name),
    }),
  ]
}

function withoutReturns(text: unknown): unknown {
  return typeof text === 'string' ? text.replaceAll('\r\n', '\n') : text
}

function secretJson({ name, updatedAt, readable, wantedBy }: SecretInfo): z.input<typeof secretShape> {
  return { name, set: updatedAt !== null, readable, updated_at: timestamp(updatedAt), wanted_by: wantedBy }
}
