import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, invalid } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import { TokensPage, type TokensPageProps } from '../../views/instance/settings/tokens-page.tsx'
import { scopes } from '../auth/contract.ts'
import { show } from '../web/show.ts'
import type { Token, TokenStore } from './token.ts'

const tokenShape = z.object({
  id: z.string(),
  name: z.string(),
  scope: z.enum(scopes),
  hint: z.string().meta({ description: 'The first characters of the token' }),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
  last_used_from: z.string().nullable().meta({ description: 'The IP address that last used the token' }),
})

const fields = z.object({
  name: z
    .string('must be a name such as "deploy script"')
    .trim()
    .min(1, 'must not be empty')
    .max(80, 'must be at most 80 characters')
    .regex(/^\P{Cc}*$/u, 'must be one line'),
  scope: z.enum(scopes, `must be one of ${scopes.join(', ')}`),
})
const params = z.object({ id: z.string() })

/** Only people create and revoke tokens; see `Access.person`. */
export function tokenRoutes({
  tokens,
  person,
  clock,
  address,
}: {
  tokens: TokenStore
  person: Guard
  clock: Clock
  /** The instance's address, for the example on the page. */
  address: string
}): Route[] {
  const page = (c: AppContext, props: Pick<TokensPageProps, 'made' | 'form'> = {}, status = 200) => {
    c.status(status as 200)
    const content = <TokensPage now={clock.now()} tokens={tokens.list()} address={address} {...props} />
    return show(c, content, { title: 'API tokens', current: '/settings' })
  }
  const formAgain = (c: AppContext, errors: FieldError[], typed: Record<string, unknown>) =>
    page(c, { form: { name: String(typed.name ?? ''), scope: String(typed.scope ?? ''), errors } }, 422)

  const revoke = (method: 'post' | 'delete', path: string) =>
    route({
      method,
      path,
      summary: 'Revoke an API token',
      guard: person,
      params,
      answers: { 204: { description: 'Revoked' }, 303: { description: 'Revoked, for a browser' } },
      handle: (c, { params }) => {
        c.set('about', tokens.revoke(params.id).name)
        return wantsPage(c) ? c.redirect('/settings/tokens', 303) : c.body(null, 204)
      },
    })

  return [
    route({
      method: 'get',
      path: '/settings/tokens',
      summary: 'API tokens',
      guard: person,
      pageOnly: true,
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: c => page(c),
    }),

    route({
      method: 'get',
      path: '/api/tokens',
      summary: 'API tokens, newest first',
      guard: person,
      answers: { 200: { description: 'The tokens', schema: z.object({ tokens: z.array(tokenShape) }) } },
      handle: c => c.json({ tokens: tokens.list().map(tokenJson) }),
    }),

    route({
      method: 'post',
      path: '/api/tokens',
      summary: 'Create an API token',
      guard: person,
      body: fields,
      answers: {
        201: {
          description: 'The token; its secret is shown only here',
          schema: tokenShape.extend({ secret: z.string() }),
        },
      },
      onInvalid: formAgain,
      handle: (c, { body }) => {
        try {
          const { token, secret } = tokens.create(body)
          c.set('about', token.name)
          if (wantsPage(c)) return page(c, { made: { name: token.name, secret } }, 201)
          return c.json({ ...tokenJson(token), secret }, 201)
        } catch (error) {
          if (wantsPage(c) && isInvalid(error)) return formAgain(c, error.errors, body)
          throw error
        }
      },
    }),

    revoke('delete', '/api/tokens/{id}'),
    // HTML forms have no DELETE.
    revoke('post', '/api/tokens/{id}/revoke'),
  ]
}

function isInvalid(error: unknown): error is { errors: FieldError[] } {
  return error instanceof Error && 'code' in error && error.code === invalid.code && 'errors' in error
}

function tokenJson(token: Token): z.input<typeof tokenShape> {
  return {
    id: token.id,
    name: token.name,
    scope: token.scope,
    hint: token.hint,
    created_at: timestamp(token.createdAt),
    last_used_at: timestamp(token.lastUsedAt),
    last_used_from: token.lastUsedFrom,
  }
}
