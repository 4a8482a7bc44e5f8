import type { Clock } from '../../../src/clock.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import type { FieldError } from '../../../src/http/problem.ts'
import type { AppContext } from '../../../src/http/route.ts'
import { MePage } from '../../../views/operator/access/me-page.tsx'
import { operatorFrame } from '../../../views/operator/operator-frame.ts'
import type { AuthService } from '../../auth/contract.ts'
import type { MailService } from '../../mail/contract.ts'
import type { OperatorBook } from '../book.ts'
import type { Operator } from '../contract.ts'
import type { OperatorRow } from '../operator.ts'
import type { PasskeyDesk } from '../passkey.ts'
import { lastWayIn, notAnOperator } from '../problems.ts'
import type { SecondFactor } from '../second-factor.ts'

export const path = '/admin/me'

export interface MeParts {
  auth: Pick<AuthService, 'admin' | 'operatorSessions' | 'operatorsProvider'>
  book: OperatorBook
  factor: SecondFactor
  passkeys: PasskeyDesk
  clock: Clock
  mail: MailService
  /** The site's domain. */
  site: string
  /** Where an address is proven with this secret. */
  proofUrl(secret: string): string
}

/** What the routes have in common. */
export function selfOf(parts: MeParts) {
  const { auth, book, factor, passkeys, clock, mail } = parts
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
        provider={auth.operatorsProvider}
        mails={mail.on}
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
export type Self = ReturnType<typeof selfOf>

export const frame = (title: string) => ({ ...operatorFrame(title, null), passkeys: true })
export const back = (c: AppContext) => (wantsPage(c) ? c.redirect(path, 303) : c.body(null, 204))
export const done = (description: string) => ({
  204: { description },
  303: { description: 'For a browser: back to the page' },
})
export const specOf = ({ auth }: MeParts) => {
  const spec = { guard: auth.admin, role: 'read' } as const
  return { spec, change: { ...spec, fresh: true } as const }
}
