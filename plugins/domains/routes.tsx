import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { invalidFields, Problem } from '../../src/http/problem.ts'
import {
  type AppContext,
  type FieldErrors,
  type Guard,
  type Role,
  type Route,
  route,
} from '../../src/http/route.ts'
import { DomainsPage } from '../../views/addresses/domains-page.tsx'
import type { PageProps } from '../../views/layout.tsx'
import type { Site } from '../site/contract.ts'
import type { Domains, Subject } from './domains.ts'
import { readDomain } from './names.ts'
import { domainsElsewhere } from './problems.ts'
import type { DomainsSettings } from './settings.ts'
import { domainListSchema, domainSchema, viewOf, wireDomain } from './wire.ts'

export interface DomainRoutesParts {
  domains: Domains
  settings: DomainsSettings
  site: Site
  clock: Clock
  /** Called after a change: the router follows. */
  publish(): void
}

/** Whose routes: the owner's, or the operator's. */
export interface Audience {
  /** The path of the instance, with `{subdomain}`. */
  path: string
  guard: Guard
  /** For an operator's routes: the role for looking and the role for changing. */
  roles?: { look: Role; change: Role }
  /** Finds an instance that the caller may see; throws `unknown-instance`. */
  find(c: AppContext, subdomain: string): Subject & { removed: boolean; url: string }
  /** How many domains it may have. */
  most(c: AppContext): number
  /** Whether the caller may answer for a domain in place of its proof. */
  vouches: boolean
  frame(title: string): PageProps
}

const named = z.object({ subdomain: z.string() })
const one = z.object({ subdomain: z.string(), domain: z.string() })
const typed = z
  .string('must be a host name such as jobs.example.org')
  .max(1000, 'is too long for a host name')
const vouched = z
  .union([z.boolean(), z.enum(['true', 'false', 'on', ''])], 'must be true or false')
  .transform(value => value === true || value === 'true' || value === 'on')
  .default(false)
  .meta({ description: 'Answer for it: it is active at once, and needs no proof' })
const back = { 303: { description: 'For a browser: back to the page' } }

/** What the routes do. */
function domainWork(parts: DomainRoutesParts, audience: Audience, path: string) {
  const { domains, settings, site, clock, publish } = parts
  const { find, most } = audience

  const view = (subdomain: string, domain: ReturnType<Domains['find']>) =>
    viewOf(domain, { target: `${subdomain}.${site.domain}`, ...settings })
  const page = (
    c: AppContext,
    subdomain: string,
    form?: { domain: string; errors: FieldErrors; status: number },
  ) => {
    const instance = find(c, subdomain)
    if (form) c.status(form.status as 422)
    const content = (
      <DomainsPage
        subdomain={subdomain}
        path={path.replace('{subdomain}', subdomain)}
        above={audience.path.replace('{subdomain}', subdomain)}
        domains={domains.of(instance.id).map(each => view(subdomain, each))}
        most={most(c)}
        elsewhere={site.routerMode === 'labels'}
        vouches={audience.vouches}
        typed={form?.domain ?? ''}
        error={form?.errors.map(({ message }) => message).join('; ')}
        now={clock.now()}
      />
    )
    return c.render(content, audience.frame(`Domains of ${subdomain}`))
  }
  const answer = (
    c: AppContext,
    subdomain: string,
    domain: ReturnType<Domains['find']>,
    status: 200 | 201,
  ) =>
    wantsPage(c)
      ? c.redirect(path.replace('{subdomain}', encodeURIComponent(subdomain)), 303)
      : c.json(wireDomain(view(subdomain, domain)), status)

  const add = (c: AppContext, subdomain: string, body: { domain: string; vouched?: boolean }) => {
    const instance = find(c, subdomain)
    const read = readDomain(site, body.domain)
    try {
      if ('fault' in read) throw invalidFields([{ path: 'domain', message: read.fault }])
      if (site.routerMode === 'labels')
        throw domainsElsewhere('Another proxy routes requests on this site. Ask its operator.')
      const wish = { most: most(c), vouched: audience.vouches && body.vouched === true }
      const domain = domains.add(instance, read.name, wish)
      publish()
      return answer(c, subdomain, domain, 201)
    } catch (error) {
      if (!wantsPage(c) || !(error instanceof Problem) || ![409, 422].includes(error.status)) throw error
      const errors = error.errors ?? [{ path: 'domain', message: error.detail }]
      return page(c, subdomain, { domain: body.domain, errors, status: error.status })
    }
  }
  const remove = (c: AppContext, { subdomain, domain }: z.infer<typeof one>) => {
    domains.remove(find(c, subdomain), domain)
    publish()
    return wantsPage(c)
      ? c.redirect(path.replace('{subdomain}', encodeURIComponent(subdomain)), 303)
      : c.body(null, 204)
  }
  const onInvalid = (c: AppContext, errors: FieldErrors, fields: Record<string, unknown>) =>
    page(c, c.req.param('subdomain') ?? '', { domain: String(fields.domain ?? ''), errors, status: 422 })

  const list = (c: AppContext, subdomain: string) => {
    if (wantsPage(c)) return page(c, subdomain)
    const { id } = find(c, subdomain)
    const shown = domains.of(id).map(each => wireDomain(view(subdomain, each)))
    return c.json({ domains: shown, limit: most(c) })
  }
  const check = async (c: AppContext, { subdomain, domain }: z.infer<typeof one>) => {
    const instance = find(c, subdomain)
    const after = await domains.check(instance, domain)
    publish()
    return answer(c, subdomain, after, 200)
  }
  return { list, add, check, remove, onInvalid }
}

/** The domains of an instance: list, add, check, remove. */
export function domainRoutes(parts: DomainRoutesParts, audience: Audience): Route[] {
  const { guard, roles } = audience
  const path = `${audience.path}/domains`
  const looks = { guard, ...(roles && { role: roles.look }) }
  const changes = { guard, ...(roles && { role: roles.change }) }
  const { list, add, check, remove, onInvalid } = domainWork(parts, audience, path)
  const made = {
    201: {
      description: 'The domain, with the records that prove it and send requests here',
      schema: domainSchema,
    },
    ...back,
  }
  const gone = { 204: { description: 'The domain was removed' }, ...back }

  return [
    route({
      ...{ ...looks, method: 'get', path, params: named },
      summary: 'The domains of an instance, by name',
      answers: { 200: { description: 'The domains', schema: domainListSchema } },
      handle: (c, { params }) => list(c, params.subdomain),
    }),
    audience.vouches
      ? route({
          ...{ ...changes, method: 'post', path, params: named, onInvalid, answers: made },
          operation: 'addInstanceDomain',
          summary: 'Add a domain to an instance, to be proven by a DNS record',
          body: z.object({ domain: typed, vouched }),
          handle: (c, { params, body }) => add(c, params.subdomain, body),
        })
      : route({
          ...{ ...changes, method: 'post', path, params: named, onInvalid, answers: made },
          operation: 'addDomain',
          summary: 'Add a domain to an instance, to be proven by a DNS record',
          body: z.object({ domain: typed }),
          handle: (c, { params, body }) => add(c, params.subdomain, body),
        }),
    route({
      ...{ ...changes, method: 'post', path: `${path}/{domain}/check`, params: one, body: z.object({}) },
      summary: 'Look for the proof of a domain now',
      answers: {
        200: { description: 'The domain, as it is after the check', schema: domainSchema },
        ...back,
      },
      handle: (c, { params }) => check(c, params),
    }),
    route({
      ...{ ...changes, method: 'delete', path: `${path}/{domain}`, params: one, answers: gone },
      summary: 'Remove a domain from an instance, at once',
      handle: (c, { params }) => remove(c, params),
    }),
    route({
      ...{ ...changes, method: 'post', path: `${path}/{domain}/remove`, params: one, body: z.object({}) },
      summary: 'Same as DELETE, for forms',
      answers: gone,
      handle: (c, { params }) => remove(c, params),
    }),
  ]
}
