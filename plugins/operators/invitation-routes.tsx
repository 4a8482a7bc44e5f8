import { z } from 'zod'
import { wantsPage } from '../../src/http/negotiate.ts'
import type { FieldError } from '../../src/http/problem.ts'
import { type AppContext, open, type Route, route } from '../../src/http/route.ts'
import { hashPassword } from '../../src/password.ts'
import { InvitationPage } from '../../views/operator/access/invitation-page.tsx'
import type { AuthService } from '../auth/contract.ts'
import { unknownInvitation } from './problems.ts'
import { afterPassword, type SignInParts } from './sign-in-routes.tsx'
import { credentialField, newPasswordField, optionsSchema } from './wire.ts'

const path = '/invitation'
const secret = z
  .string('must be the code of the invitation')
  .min(1, 'must be the code of the invitation')
  .max(100)

/** Accepting an invitation. Opening its link changes nothing, because mail programs open links, too. */
export function invitationRoutes(
  parts: SignInParts & { provider: string | null; auth: Pick<AuthService, 'signInPage'> },
): Route[] {
  const { book, passkeys, entry, factor, provider } = parts
  /** The secret is in the query and in fields, not in the path, which logs keep. */
  const invited = (code: string) => {
    const row = book.invited(code)
    if (row) return row
    throw unknownInvitation(
      'It was accepted, revoked or replaced already, or has expired. If you accepted it, sign in. Otherwise ask for another one.',
    )
  }
  const page = (c: AppContext, code: string, errors: readonly FieldError[] = []) => {
    c.header('Cache-Control', 'no-store')
    // The address has the secret: no other page learns it.
    c.header('Referrer-Policy', 'same-origin')
    const { name, email, role } = invited(code)
    const content = (
      <InvitationPage
        {...{ name, email, role, code, provider }}
        needsFactor={factor.demands(role)}
        error={errors.map(({ message }) => message).join('; ') || undefined}
      />
    )
    return c.render(content, { title: 'Invitation', narrow: true, passkeys: true })
  }

  return [
    route({
      method: 'get',
      path,
      summary: 'The page of an invitation',
      guard: open,
      pageOnly: true,
      query: z.object({ code: secret }),
      answers: { 200: { description: 'The page' } },
      handle: (c, { query: { code } }) => page(c, code),
    }),
    route({
      method: 'post',
      path,
      summary: 'Accept an invitation with a password',
      guard: open,
      body: z.object({ code: secret, password: newPasswordField }),
      answers: {
        204: { description: 'Signed in: the cookie is set' },
        202: {
          description: 'Accepted. Continue at `Location`: set up a second factor',
          schema: z.object({ next: z.string() }),
          headers: { Location: '`/login/set-up`' },
        },
        303: { description: 'For a browser: to the next page' },
      },
      onInvalid: (c, errors, { code }) => {
        c.status(422)
        return page(c, typeof code === 'string' ? code : '', errors)
      },
      handle: async (c, { body: { code, password } }) => {
        invited(code)
        const hash = await hashPassword(password)
        // It may have been accepted or revoked meanwhile.
        const row = invited(code)
        c.set('principal', { kind: 'operator', id: row.id, name: row.name })
        book.joinByPassword(row, hash)
        return afterPassword(parts, c, book.known(row.id), undefined)
      },
    }),
    route({
      method: 'post',
      path: `${path}/passkey/options`,
      summary: 'What a browser needs to accept an invitation with a passkey',
      audit: { none: 'it changes nothing until the passkey has answered' },
      guard: open,
      body: z.object({ code: secret }),
      answers: { 200: { description: 'The options', schema: optionsSchema } },
      handle: async (c, { body: { code } }) => {
        c.header('Cache-Control', 'no-store')
        return c.json(await passkeys.makingOptions(c, invited(code)))
      },
    }),
    route({
      method: 'post',
      path: `${path}/passkey`,
      summary: 'Accept an invitation with a passkey',
      guard: open,
      body: z.object({ code: secret, credential: credentialField }),
      answers: {
        204: { description: 'Signed in: the cookie is set' },
        303: { description: 'For a browser: to the first page' },
      },
      handle: async (c, { body: { code, credential } }) => {
        const store = await passkeys.made(c, invited(code), { credential, name: 'first passkey' })
        const row = invited(code)
        c.set('principal', { kind: 'operator', id: row.id, name: row.name })
        book.joinBy(row, 'with a passkey', store)
        entry.enter(c, book.known(row.id))
        return wantsPage(c) ? c.redirect('/admin/overview', 303) : c.body(null, 204)
      },
    }),
  ]
}
