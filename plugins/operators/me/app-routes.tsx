import { z } from 'zod'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type FieldError, Problem } from '../../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import { AppPage } from '../../../views/operator/access/app-page.tsx'
import { RecoveryCodesPage } from '../../../views/operator/access/sign-in-steps.tsx'
import { codeField, codesSchema } from '../wire.ts'
import { back, done, frame, type MeParts, path, type Self, specOf } from './self.tsx'

/** The app that shows codes, and the recovery codes. */
export function appRoutes(parts: MeParts, { me, leavesAWay }: Self): Route[] {
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
