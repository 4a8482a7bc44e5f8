import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { localPath } from '../../src/http/local-path.ts'
import { type AppContext, open, type Route, route } from '../../src/http/route.ts'
import { newSecret } from '../../src/http/session-cookie.ts'
import { signTicket } from '../../src/sign-in/ticket.ts'
import { ThroughPage } from '../../views/addresses/gate-page.tsx'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import type { AuthService } from '../auth/contract.ts'
import type { InstanceSummary, ProvisionerService } from '../provisioner/contract.ts'
import { gateTicketMs, gateTicketPath, operatorSession, type RouterService } from '../router/contract.ts'
import { hostUrl, labelOf, type Site } from '../site/contract.ts'
import type { Gates } from './gates.ts'
import { noGate, notLetIn } from './problems.ts'

export interface TicketParts {
  gates: Gates
  auth: AuthService
  provisioner: Pick<ProvisionerService, 'bySubdomain'>
  router: Pick<RouterService, 'subdomainOf'>
  site: Site
  clock: Clock
}

/** Where the edge sends browsers that have no pass for an instance with a closed gate. */
export function ticketRoute(parts: TicketParts): Route {
  const { gates, auth, provisioner, router, site, clock } = parts
  /** The instance that a host name leads to, with its gate closed. */
  const find = (host: string) => {
    const label = labelOf(site, host)
    const subdomain = label === null ? router.subdomainOf(host) : label
    const instance = subdomain ? provisioner.bySubdomain(subdomain) : null
    const office = instance && gates.ticketOffice(instance.id)
    if (!instance || !office || instance.desired === 'deleted')
      throw noGate('The instance is open to everyone, or there is none. Open its address again.')
    return { instance, office }
  }
  /** The id of the session that may pass; null when no one is signed in here. */
  const sessionFor = (c: AppContext, { accountId, subdomain }: InstanceSummary): string | null => {
    const visit = auth.visit(c)
    if (visit && visit.account.id === accountId) return visit.sessionId
    if (auth.isOperator(c)) return operatorSession
    if (!visit) return null
    throw notLetIn(
      `${visit.account.email} is not the owner of “${subdomain}”, and its owner lets no one else in. Sign out, then sign in with the account that owns it.`,
    )
  }
  return route({
    method: 'get',
    path: '/gate',
    summary: 'Lets the browser of a signed-in owner or operator into an instance whose gate is closed',
    guard: open,
    pageOnly: true,
    query: z.object({
      host: z.string().min(1).max(300, 'must be the host of an instance'),
      state: z.string().regex(/^[\w-]{43}$/, 'must be what the edge made for this browser'),
      path: z.string().max(2000, 'may have at most 2000 characters').default('/'),
      signed_in: z.literal('1').optional(),
    }),
    answers: { 303: { description: 'Back to the instance, or to the sign-in page' } },
    handle: (c, { query }) => {
      const host = query.host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
      const { instance, office } = find(host)
      c.header('Cache-Control', 'no-store')
      const session = sessionFor(c, instance)
      if (session === null) {
        const back = `/gate?${new URLSearchParams({ host, state: query.state, path: query.path, signed_in: '1' })}`
        const page = auth.provider === null ? '/login' : '/sign-in'
        return c.redirect(`${page}?next=${encodeURIComponent(back)}`, 303)
      }
      // The edge must know a session that has just begun.
      gates.publish()
      const ticket = signTicket(office.key, {
        ...{ host, session, generation: office.generation, state: query.state },
        ...{ expiresAt: clock.now() + gateTicketMs, nonce: newSecret(), path: localPath(query.path, '/') },
      })
      const there = `${hostUrl(site, host)}${gateTicketPath}?ticket=${ticket}`
      if (query.signed_in === undefined) return c.redirect(there, 303)
      // A browser does not follow the sign-in form's redirects to another host: this page begins anew.
      c.header('Refresh', `0; url=${there}`)
      return c.render(<ThroughPage subdomain={instance.subdomain} href={there} />, {
        ...ownerFrame(null, 'Signed in'),
        narrow: true,
      })
    },
  })
}
