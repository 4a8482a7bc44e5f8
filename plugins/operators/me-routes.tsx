import { z } from 'zod'
import { type Clock, timestamp } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { type FieldError, Problem } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { hashPassword } from '../../src/password.ts'
import { AppPage } from '../../views/operator/access/app-page.tsx'
import { MePage } from '../../views/operator/access/me-page.tsx'
import { RecoveryCodesPage } from '../../views/operator/access/sign-in-steps.tsx'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import type { AuthService } from '../auth/contract.ts'
import type { OperatorBook } from './book.ts'
import type { Operator } from './contract.ts'
import type { OperatorRow } from './operator.ts'
import type { PasskeyDesk } from './passkey.ts'
import { lastWayIn, notAnOperator, unknownPasskey } from './problems.ts'
import type { SecondFactor } from './second-factor.ts'
import {
  codeField,
  codesSchema,
  credentialField,
  newPasswordField,
  operatorSchema,
  optionsSchema,
  passkeyNameField,
  wireOperator,
} from './wire.ts'

const path = '/admin/me'
const time = z.iso.datetime().nullable()

const meSchema = operatorSchema.extend({
  passkey_list: z.array(
    z.object({ id: z.string(), name: z.string(), created_at: z.iso.datetime(), last_used_at: time }),
  ),
  sessions: z.array(
    z.object({
      id: z.string(),
      created_at: z.iso.datetime(),
      last_seen_at: z.iso.datetime(),
      address: z.string().nullable(),
      browser: z.string().nullable(),
      current: z.boolean(),
    }),
  ),
})

export interface MeParts {
  auth: Pick<AuthService, 'admin' | 'operatorSessions'>
  book: OperatorBook
  factor: SecondFactor
  passkeys: PasskeyDesk
  clock: Clock
}

/** An operator's own sign-in: password, app, passkeys, recovery codes, sessions. */
export function meRoutes(parts: MeParts): Route[] {
  const self = selfOf(parts)
  return [...ownRoutes(parts, self), ...appRoutes(parts, self), ...passkeyRoutes(parts, self)]
}

/** What the routes have in common. */
function selfOf(parts: MeParts) {
  const { auth, book, factor, passkeys, clock } = parts
  const me = (c: AppContext): OperatorRow => {
    const principal = c.get('principal')
    const row = principal?.kind === 'operator' ? book.joined(principal.id) : null
    if (row) return row
    throw notAnOperator(
      'You use the admin token or an API token, which has no sign-in of its own. Invite yourself as an operator, then sign in with your email address.',
    )
  }
  const sessionsOf = (c: AppContext, { id }: OperatorRow) => {
    const current = auth.operatorSessions.current(c)
    return auth.operatorSessions.of(id).map(each => ({ ...each, current: each.id === current }))
  }
  const page = (c: AppContext, errors: readonly FieldError[] = []) => {
    const row = me(c)
    c.header('Cache-Control', 'no-store')
    const operator = book.view(row)
    const content = (
      <MePage
        now={clock.now()}
        operator={operator}
        needsFactor={factor.demands(row.role)}
        passkeys={passkeys.list(row.id)}
        sessions={sessionsOf(c, row)}
        errors={errors}
      />
    )
    return c.render(content, frame('Your sign-in'))
  }
  const again = (c: AppContext, errors: readonly FieldError[]) => {
    c.status(422)
    return page(c, errors)
  }
  /** Refuses to take a way of signing in from an operator who then has none. */
  const leavesAWay = (row: OperatorRow, without: Partial<Operator>) => {
    if (factor.letsIn({ ...book.view(row), ...without })) return
    throw lastWayIn(
      'You could not sign in any more, because your role needs a second factor. Nothing was changed. Add another passkey or app first.',
    )
  }
  return { me, sessionsOf, page, again, leavesAWay }
}
type Self = ReturnType<typeof selfOf>

const frame = (title: string) => ({ ...operatorFrame(title, null), passkeys: true })
const back = (c: AppContext) => (wantsPage(c) ? c.redirect(path, 303) : c.body(null, 204))
const done = (description: string) => ({
  204: { description },
  303: { description: 'For a browser: back to the page' },
})
const specOf = ({ auth }: MeParts) => {
  const spec = { guard: auth.admin, role: 'read' } as const
  return { spec, change: { ...spec, fresh: true } as const }
}

function ownRoutes(parts: MeParts, { me, sessionsOf, page, again }: Self): Route[] {
  const { auth, book, passkeys } = parts
  const { spec, change } = specOf(parts)
  return [
    route({
      ...{ ...spec, method: 'get', path },
      summary: 'Your sign-in: password, second factors, sessions',
      operation: 'getAdminMe',
      answers: { 200: { description: 'Your sign-in', schema: meSchema } },
      handle: c => {
        if (wantsPage(c)) return page(c)
        const row = me(c)
        return c.json({
          ...wireOperator(book.view(row)),
          passkey_list: passkeys.list(row.id).map(({ createdAt, lastUsedAt, ...each }) => ({
            ...{ ...each, created_at: timestamp(createdAt), last_used_at: timestamp(lastUsedAt) },
          })),
          sessions: sessionsOf(c, row).map(({ id, address, browser, current, ...each }) => ({
            ...{ id, address, browser, current },
            created_at: timestamp(each.createdAt),
            last_seen_at: timestamp(each.lastSeenAt),
          })),
        })
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/password` },
      summary: 'Set your password, and end your other sessions',
      body: z.object({ password: newPasswordField }),
      answers: done('Set'),
      onInvalid: again,
      handle: async (c, { body: { password } }) => {
        const { id } = me(c)
        const hash = await hashPassword(password)
        await c.get('askAgain')()
        const row = me(c)
        book.changeSignIn(row, 'password set', () => {
          book.update(id, { passwordHash: hash })
          auth.operatorSessions.endAll(id, auth.operatorSessions.current(c) ?? undefined)
        })
        return back(c)
      },
    }),
    route({
      ...{ ...spec, method: 'post', path: `${path}/sessions/{id}/end` },
      summary: 'End one of your sessions',
      params: z.object({ id: z.string() }),
      body: z.object({}),
      answers: done('Ended'),
      handle: (c, { params }) => {
        auth.operatorSessions.end(me(c).id, params.id)
        return back(c)
      },
    }),
  ]
}

function appRoutes(parts: MeParts, { me, leavesAWay }: Self): Route[] {
  const { book, factor } = parts
  const { spec, change } = specOf(parts)
  const appPage = (c: AppContext, errors: readonly FieldError[] = []) => {
    const row = me(c)
    const app = factor.drafted(row)
    if (!app) return c.redirect(path, 303)
    c.header('Cache-Control', 'no-store')
    const error = errors.map(({ message }) => message).join('; ') || undefined
    return c.render(
      <AppPage app={app} replaces={row.appSecret !== null} error={error} />,
      frame('App for codes'),
    )
  }
  const codes = (c: AppContext, made: string[]) => {
    c.header('Cache-Control', 'no-store')
    if (!wantsPage(c)) return c.json({ recovery_codes: made })
    return c.render(<RecoveryCodesPage codes={made} next={path} />, frame('Recovery codes'))
  }
  return [
    route({
      ...{ ...change, method: 'post', path: `${path}/app` },
      summary: 'Begin to set up an app that shows codes (TOTP); it counts once it is confirmed',
      body: z.object({}),
      answers: {
        201: {
          description: 'What the app needs',
          schema: z.object({ secret: z.string(), uri: z.string() }),
        },
        303: { description: 'For a browser: to the page with the QR code' },
      },
      handle: c => {
        const row = me(c)
        factor.draft(row)
        c.set('about', null)
        if (wantsPage(c)) return c.redirect(`${path}/app`, 303)
        const app = factor.drafted(book.known(row.id))
        c.header('Cache-Control', 'no-store')
        return c.json({ secret: app?.secret ?? '', uri: app?.uri ?? '' }, 201)
      },
    }),
    route({
      ...{ ...spec, method: 'get', path: `${path}/app` },
      summary: 'The page with the QR code of the app that is set up',
      pageOnly: true,
      answers: { 200: { description: 'The page' } },
      handle: c => appPage(c),
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/app/confirm` },
      summary: 'Confirm the app by a code of it; replaces an earlier app and the recovery codes',
      body: z.object({ code: codeField }),
      answers: {
        200: { description: 'Confirmed. The recovery codes are shown only here', schema: codesSchema },
      },
      onInvalid: (c, errors) => {
        c.status(422)
        return appPage(c, errors)
      },
      handle: (c, { body: { code } }) => {
        const row = me(c)
        try {
          return codes(c, factor.confirm(row, code))
        } catch (error) {
          if (!(error instanceof Problem) || !error.errors || !wantsPage(c)) throw error
          c.status(422)
          return appPage(c, error.errors)
        }
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/app/remove` },
      summary: 'Remove the app',
      body: z.object({}),
      answers: done('Removed'),
      handle: c => {
        const row = me(c)
        leavesAWay(row, { hasApp: false })
        factor.removeApp(row)
        return back(c)
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/recovery-codes` },
      summary: 'Make new recovery codes, which replace all earlier ones',
      body: z.object({}),
      answers: { 200: { description: 'The codes, shown only here', schema: codesSchema } },
      handle: c => {
        const row = me(c)
        return codes(
          c,
          book.changeSignIn(row, 'new recovery codes', () => factor.newRecoveryCodes(row)),
        )
      },
    }),
  ]
}

function passkeyRoutes(parts: MeParts, { me, again, leavesAWay }: Self): Route[] {
  const { book, passkeys } = parts
  const { change } = specOf(parts)
  const removePasskey = (method: 'post' | 'delete', at: string) =>
    route({
      ...{ ...change, method, path: at },
      summary: method === 'post' ? 'Same as DELETE, for forms' : 'Remove one of your passkeys',
      params: z.object({ id: z.string() }),
      ...(method === 'post' ? { body: z.object({}) } : {}),
      answers: done('Removed'),
      handle: (c, { params: { id } }) => {
        const row = me(c)
        const found = passkeys.list(row.id).find(each => each.id === id)
        if (!found) throw unknownPasskey('You have no such passkey. It may be removed already.')
        leavesAWay(row, { passkeys: book.view(row).passkeys - 1 })
        passkeys.remove(row, found)
        return back(c)
      },
    })

  return [
    route({
      ...{ ...change, method: 'post', path: `${path}/passkeys/options` },
      summary: 'What a browser needs to make a passkey',
      audit: { none: 'it changes nothing until the passkey has answered' },
      answers: { 200: { description: 'The options', schema: optionsSchema } },
      handle: async c => {
        c.header('Cache-Control', 'no-store')
        return c.json(await passkeys.makingOptions(c, me(c)))
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/passkeys` },
      summary: 'Add a passkey',
      body: z.object({ credential: credentialField, name: passkeyNameField }),
      answers: done('Added'),
      onInvalid: again,
      handle: async (c, { body }) => {
        const store = await passkeys.made(c, me(c), body)
        await c.get('askAgain')()
        book.changeSignIn(me(c), `passkey “${body.name}” added`, store)
        return back(c)
      },
    }),
    removePasskey('delete', `${path}/passkeys/{id}`),
    removePasskey('post', `${path}/passkeys/{id}/remove`),
  ]
}
