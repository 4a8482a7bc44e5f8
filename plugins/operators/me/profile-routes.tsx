import { z } from 'zod'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type FieldError, Problem } from '../../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import { hashSecret } from '../../../src/http/session-cookie.ts'
import { actorName } from '../../../src/sign-in/actor-name.ts'
import { operatorEmailChanged, operatorEmailProof } from '../../../views/mail/operator-email.tsx'
import { ProveEmailPage } from '../../../views/operator/access/prove-email-page.tsx'
import { noMail, unprovenEmail } from '../problems.ts'
import { emailField } from '../wire.ts'
import { back, done, frame, type MeParts, path, type Self, specOf } from './self.tsx'

const code = z.string('must be the code of the link').min(1, 'must be the code of the link').max(100)

/** Name, email address, and the account at the provider. */
export function profileRoutes(parts: MeParts, { me, again, leavesAWay }: Self): Route[] {
  const { book, mail, site, clock } = parts
  const { spec, change } = specOf(parts)
  /** Passkeys have names, too. */
  const ownAgain = (c: AppContext, errors: readonly FieldError[]) =>
    again(
      c,
      errors.map(error => ({ ...error, path: `own-${error.path}` })),
    )
  const proven = (c: AppContext, secret: string) => {
    const row = me(c)
    const email = book.provenEmail(row, secret)
    if (email !== null) return { row, email }
    throw unprovenEmail(
      'It was used or replaced already, has expired, or is for another operator. Your address is unchanged. Enter the new one again on your page.',
    )
  }

  return [
    route({
      ...{ ...change, method: 'post', path: `${path}/name` },
      summary: 'Change your name',
      body: z.object({ name: actorName('a name') }),
      answers: done('Changed'),
      onInvalid: ownAgain,
      handle: (c, { body: { name } }) => {
        book.rename(me(c), name)
        return back(c)
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/email` },
      summary: 'Ask for another email address; it counts once the link in the email to it was confirmed',
      body: z.object({ email: emailField }),
      answers: done('An email with a link is on its way'),
      onInvalid: ownAgain,
      handle: (c, { body }) => {
        if (!mail.on)
          throw noMail(
            'A new address proves itself by an email, and no mail server is set up (SMTP_URL). Nothing was changed.',
          )
        const row = me(c)
        try {
          const { secret, until } = book.askEmail(row, body.email)
          mail.send({
            key: `operator-email:${row.id}:${hashSecret(secret)}`,
            to: body.email,
            email: operatorEmailProof({ name: row.name, url: parts.proofUrl(secret), site, until }),
          })
        } catch (error) {
          if (!(error instanceof Problem) || !error.errors || !wantsPage(c)) throw error
          return ownAgain(c, error.errors)
        }
        return back(c)
      },
    }),
    route({
      ...{ ...spec, method: 'get', path: `${path}/email` },
      summary: 'The page that the link in the email leads to; opening it changes nothing',
      pageOnly: true,
      query: z.object({ code }),
      answers: { 200: { description: 'The page' } },
      handle: (c, { query }) => {
        const { row, email } = proven(c, query.code)
        c.header('Cache-Control', 'no-store')
        const page = <ProveEmailPage from={row.email} to={email} code={query.code} />
        return c.render(page, frame('Your email address'))
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/email/confirm` },
      summary: 'Confirm your new email address; the old one gets an email about it',
      body: z.object({ code }),
      answers: done('Changed'),
      handle: (c, { body }) => {
        const { row, email } = proven(c, body.code)
        book.changeEmail(row, email)
        mail.send({
          key: `operator-email-changed:${row.id}:${clock.now()}`,
          to: row.email,
          email: operatorEmailChanged({ name: row.name, to: email, site }),
        })
        return back(c)
      },
    }),
    route({
      ...{ ...change, method: 'post', path: `${path}/provider/remove` },
      summary: 'Sign in with the provider no more',
      body: z.object({}),
      answers: done('Removed'),
      handle: c => {
        const row = me(c)
        if (row.subject === null) return back(c)
        leavesAWay(row, { hasProvider: false })
        book.changeSignIn(row, 'the account at the provider was removed', () =>
          book.update(row.id, { issuer: null, subject: null }),
        )
        return back(c)
      },
    }),
  ]
}
