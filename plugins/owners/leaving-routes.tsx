import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type FieldErrors, type Route, route } from '../../src/http/route.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { GoodbyePage, LeavePage } from '../../views/owner/leave-page.tsx'
import { endings, type OwnerParts, ownInstances } from './parts.ts'
import { ownedInstanceSchema, wireOwnedInstance } from './wire.ts'

const confirmed = z.object({
  confirm: z.string('must be the email address of the account'),
})

const gone = { 204: { description: 'The account is deleted, and its instances are being removed' } }

/** Exporting one's data, and deleting the account. */
export function leavingRoutes(parts: OwnerParts): Route[] {
  return [exportRoute(parts), ...leaveRoutes(parts)]
}

const exported = z.object({
  exported_at: z.iso.datetime(),
  account: z.object({
    id: z.string(),
    issuer: z.string(),
    email: z.string(),
    name: z.string().nullable(),
    created_at: z.iso.datetime(),
  }),
  sessions: z.array(
    z.object({
      id: z.string(),
      browser: z.string(),
      created_at: z.iso.datetime(),
      last_seen_at: z.iso.datetime(),
    }),
  ),
  instances: z.array(ownedInstanceSchema),
  others: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Data of other plugins, by plugin: billing, mail' }),
})

const exportRoute = (parts: OwnerParts) =>
  route({
    method: 'get',
    path: '/account/export',
    summary: 'Export everything that the control plane stores about you, as one file',
    guard: parts.auth.account,
    answers: {
      200: {
        description: 'Your data. Data inside an instance is exported by the instance',
        schema: exported,
      },
    },
    handle: c => {
      const account = parts.auth.accountOf(c)
      const { id, issuer, email, name, createdAt } = account
      c.header('Content-Disposition', 'attachment; filename="longhouse-account.json"')
      return c.json({
        exported_at: timestamp(parts.clock.now()),
        account: { id, issuer, email, name, created_at: timestamp(createdAt) },
        sessions: parts.auth.sessionsOf(id).map(session => ({
          id: session.id,
          browser: session.browser,
          created_at: timestamp(session.createdAt),
          last_seen_at: timestamp(session.lastSeenAt),
        })),
        instances: ownInstances(parts, c).list().map(wireOwnedInstance),
        others: parts.auth.exportOf(account),
      })
    },
  })

const leaveRoutes = (parts: OwnerParts) => [
  route({
    method: 'get',
    path: '/account/leave',
    summary: 'The form that deletes your account',
    guard: parts.auth.account,
    pageOnly: true,
    answers: { 200: { description: 'The page' } },
    handle: c => form(parts, c, []),
  }),
  route({
    method: 'post',
    path: '/account/leave',
    summary: 'Same as DELETE /account, for forms',
    guard: parts.auth.account,
    body: confirmed,
    answers: { 200: { description: 'A confirmation page' }, ...gone },
    onInvalid: (c, errors) => form(parts, c, errors),
    handle: (c, { body }) => leave(parts, c, body.confirm),
  }),
  route({
    method: 'delete',
    path: '/account',
    summary: 'Delete your account; its instances are removed, and their data is kept for a while',
    guard: parts.auth.account,
    body: confirmed,
    answers: gone,
    handle: (c, { body }) => leave(parts, c, body.confirm),
  }),
]

/** The form; with errors, filled in again. */
function form(parts: OwnerParts, c: AppContext, errors: FieldErrors) {
  if (errors.length > 0) c.status(422)
  const page = (
    <LeavePage
      email={parts.auth.accountOf(c).email}
      instances={ownInstances(parts, c)
        .list()
        .map(each => each.subdomain)}
      {...endings(parts, c)}
      error={errors[0]?.message}
    />
  )
  return c.render(page, { ...ownerFrame('/account', 'Delete account'), narrow: true })
}

function leave(parts: OwnerParts, c: AppContext, confirm: string) {
  const { auth } = parts
  const account = auth.accountOf(c)
  if (confirm.trim().toLowerCase() !== account.email.toLowerCase()) {
    const message = `must be ${account.email}; nothing was deleted`
    if (wantsPage(c)) return form(parts, c, [{ path: 'confirm', message }])
    throw invalidFields([{ path: 'confirm', message }])
  }
  const own = ownInstances(parts, c)
  // Instances first: if this is interrupted, the account still exists, and its owner can try again.
  for (const { subdomain, desired } of own.list()) {
    if (desired !== 'deleted') own.request(subdomain, 'deprovision')
  }
  auth.accounts.close(account.id)
  if (!wantsPage(c)) return c.body(null, 204)
  return c.render(<GoodbyePage provider={auth.provider} keptMs={parts.provisioner.retentionMs} />, {
    title: 'Account deleted',
    narrow: true,
  })
}
