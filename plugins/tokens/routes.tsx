import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, roles, route } from '../../src/http/route.ts'
import { durationMs } from '../../src/kernel/config.ts'
import { actorName } from '../../src/sign-in/actor-name.ts'
import { TokensPage, type TokensPageProps } from '../../views/operator/access/tokens-page.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { Token } from './contract.ts'
import type { TokenStore } from './token.ts'

const path = '/admin/tokens'
const time = z.iso.datetime().nullable()
const longestMs = 3650 * 86_400_000

const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(roles),
    instances: z.array(z.string()).nullable().meta({ description: 'Subdomains; null for all instances' }),
    hint: z.string().meta({ description: 'The first characters of the token' }),
    created_at: z.iso.datetime(),
    created_by: z.string(),
    expires_at: time,
    last_used_at: time,
    last_used_from: z.string().nullable().meta({ description: 'The address that last used the token' }),
  })
  .meta({ id: 'ApiToken' })

const body = z.object({
  name: actorName('a name such as "deploy script"'),
  role: z.enum(roles, `must be one of ${roles.join(', ')}`),
  instances: z
    .union(
      [
        z.array(z.string()),
        // A form sends one text.
        z.string().transform(text => text.split(/[\s,]+/).filter(each => each !== '')),
      ],
      'must be a list of subdomains',
    )
    .optional()
    .meta({ description: 'The only instances that the token is for; all when left out' }),
  expires_in: z
    .string()
    .trim()
    .refine(text => {
      if (text === '') return true
      const ms = durationMs(text)
      return ms >= 60_000 && ms <= longestMs
    }, 'must be a duration from 1m to 3650d, such as 90d')
    .optional()
    .meta({ description: 'How long it is valid, such as 90d; for good when left out' }),
})

/** API tokens, for operators with the role `own`. */
export function tokenRoutes(parts: {
  admin: Guard
  tokens: TokenStore
  clock: Clock
  /** The id of an instance; null when there is none of that name. */
  instanceId(subdomain: string): string | null
  /** The control plane's address, for the example on the page. */
  address: string
}): Route[] {
  const { admin, tokens, clock, instanceId, address } = parts
  const spec = { guard: admin, role: 'own' } as const
  const page = (c: AppContext, props: Pick<TokensPageProps, 'made' | 'form'> = {}, status = 200) => {
    c.status(status as 200)
    c.header('Cache-Control', 'no-store')
    const content = <TokensPage now={clock.now()} tokens={tokens.list()} address={address} {...props} />
    return c.render(content, operatorFrame('API tokens', path))
  }
  const formAgain = (c: AppContext, errors: readonly FieldError[], typed: Record<string, unknown>) => {
    const values = Object.fromEntries(Object.entries(typed).map(([name, value]) => [name, String(value)]))
    return page(c, { form: { values, errors } }, 422)
  }
  const scopeOf = (names: readonly string[] | undefined): Token['instances'] => {
    if (!names || names.length === 0) return null
    const found = names.map(subdomain => ({ subdomain, id: instanceId(subdomain) }))
    const missing = found.filter(({ id }) => id === null).map(({ subdomain }) => `"${subdomain}"`)
    if (missing.length > 0)
      throw invalidFields([
        { path: 'instances', message: `must be subdomains of instances; there is no ${missing.join(', ')}` },
      ])
    return found.map(({ id, subdomain }) => ({ id: id ?? '', subdomain }))
  }
  const revoke = (method: 'post' | 'delete', path: string) =>
    route({
      ...{ ...spec, method, path, fresh: true },
      summary: 'Revoke an API token',
      params: z.object({ id: z.string() }),
      ...(method === 'post' ? { body: z.object({}) } : {}),
      answers: { 204: { description: 'Revoked' }, 303: { description: 'For a browser: back to the page' } },
      handle: (c, { params }) => {
        tokens.revoke(params.id)
        return wantsPage(c) ? c.redirect('/admin/tokens', 303) : c.body(null, 204)
      },
    })

  return [
    route({
      ...{ ...spec, method: 'get', path },
      summary: 'API tokens, newest first',
      answers: { 200: { description: 'The tokens', schema: z.object({ tokens: z.array(tokenSchema) }) } },
      handle: c => (wantsPage(c) ? page(c) : c.json({ tokens: tokens.list().map(wireToken) })),
    }),
    route({
      ...{ ...spec, method: 'post', path, body, fresh: true },
      summary: 'Create an API token',
      answers: {
        201: {
          description: 'The token; its secret is shown only here',
          schema: tokenSchema.extend({ secret: z.string() }),
        },
      },
      onInvalid: formAgain,
      handle: (c, { body: { name, role, instances, expires_in } }) => {
        try {
          const { token, secret } = tokens.create({
            ...{ name, role, instances: scopeOf(instances) },
            createdBy: c.get('principal')?.name ?? '',
            expiresAt: expires_in ? clock.now() + durationMs(expires_in) : null,
          })
          if (wantsPage(c)) return page(c, { made: { name: token.name, secret } }, 201)
          c.header('Cache-Control', 'no-store')
          return c.json({ ...wireToken(token), secret }, 201)
        } catch (error) {
          const { errors } = error as { errors?: FieldError[] }
          if (!wantsPage(c) || !errors) throw error
          return formAgain(c, errors, { name, role, instances, expires_in })
        }
      },
    }),
    revoke('delete', `${path}/{id}`),
    // HTML forms have no DELETE.
    revoke('post', `${path}/{id}/revoke`),
  ]
}

function wireToken(token: Token): z.input<typeof tokenSchema> {
  const { id, name, role, instances, hint } = token
  return {
    ...{ id, name, role, hint },
    instances: instances?.map(({ subdomain }) => subdomain) ?? null,
    created_at: timestamp(token.createdAt),
    created_by: token.createdBy,
    expires_at: timestamp(token.expiresAt),
    last_used_at: timestamp(token.lastUsedAt),
    last_used_from: token.lastUsedFrom,
  }
}
