import { z } from 'zod'
import { wantsPage } from '../../src/http/negotiate.ts'
import {
  type AppContext,
  type FieldErrors,
  type Guard,
  type Role,
  type Route,
  route,
} from '../../src/http/route.ts'
import { GatePage } from '../../views/addresses/gate-page.tsx'
import type { PageProps } from '../../views/layout.tsx'
import type { Site } from '../site/contract.ts'
import type { GateSetting, Gates } from './gates.ts'
import { gateElsewhere } from './problems.ts'

/** Whose routes: the owner's, or the operator's. */
export interface Audience {
  /** The path of the instance, with `{subdomain}`. */
  path: string
  guard: Guard
  roles?: { look: Role; change: Role }
  /** Finds an instance that the caller may see; throws `unknown-instance`. */
  find(c: AppContext, subdomain: string): { id: string; subdomain: string }
  frame(title: string): PageProps
}

const named = z.object({ subdomain: z.string() })
const gateSchema = z.object({ closed: z.boolean(), public_paths: z.array(z.string()) }).meta({ id: 'Gate' })

const onePath = z
  .string()
  .trim()
  .max(200, 'may have at most 200 characters')
  .transform(text => text.replace(/\/+$/, ''))
  .refine(text => text !== '', 'must be more than /; open the gate instead')
  .refine(
    text => /^(\/[\w.~!$&'()*+,;=:@-]+)+$/.test(text) && !/\/\.{1,2}(\/|$)/.test(text),
    'must be a path such as /badges, without a query, %, .. or //',
  )
const body = z.object({
  closed: z
    .union([z.boolean(), z.enum(['true', 'false', 'on', ''])], 'must be true or false')
    .transform(value => value === true || value === 'true' || value === 'on')
    .meta({ description: 'Whether only signed-in owners and operators pass' }),
  public_paths: z
    .union(
      [
        z.array(z.string()),
        // A form sends one text.
        z.string().transform(text => text.split(/[\s]+/).filter(each => each !== '')),
      ],
      'must be a list of paths',
    )
    .pipe(z.array(onePath).max(50, 'may have at most 50 paths'))
    .default([])
    .meta({ description: 'Paths that everyone may request, with all below them' }),
})

/** The gate of an instance: look, and change. */
export function gateRoutes(
  { gates, site, publish }: { gates: Gates; site: Site; publish(): void },
  audience: Audience,
): Route[] {
  const { guard, roles, find } = audience
  const path = `${audience.path}/gate`
  const page = (
    c: AppContext,
    subdomain: string,
    form?: { closed: boolean; paths: string; errors: FieldErrors },
  ) => {
    const setting = gates.of(find(c, subdomain).id)
    if (form) c.status(422)
    const content = (
      <GatePage
        subdomain={subdomain}
        path={path.replace('{subdomain}', subdomain)}
        above={audience.path.replace('{subdomain}', subdomain)}
        closed={setting.closed}
        elsewhere={site.routerMode === 'labels'}
        operates={roles !== undefined}
        form={form ?? { closed: setting.closed, paths: setting.publicPaths.join(' '), errors: [] }}
      />
    )
    return c.render(content, audience.frame(`Gate of ${subdomain}`))
  }
  const wire = ({ closed, publicPaths }: GateSetting) => ({ closed, public_paths: [...publicPaths] })
  const change = (c: AppContext, subdomain: string, wish: z.output<typeof body>) => {
    const instance = find(c, subdomain)
    if (site.routerMode === 'labels')
      throw gateElsewhere('Another proxy routes requests on this site. Ask its operator.')
    gates.set(instance, { closed: wish.closed, publicPaths: [...new Set(wish.public_paths)] })
    publish()
    return wantsPage(c)
      ? c.redirect(path.replace('{subdomain}', encodeURIComponent(subdomain)), 303)
      : c.json(wire(gates.of(instance.id)))
  }
  const spec = { guard, path, params: named }
  const changing = {
    ...{ ...spec, body, ...(roles && { role: roles.change }) },
    answers: {
      200: { description: 'The gate, as it is now', schema: gateSchema },
      303: { description: 'For a browser: back to the page' },
    },
  }
  return [
    route({
      ...{ ...spec, method: 'get', ...(roles && { role: roles.look }) },
      summary: 'Whether the gate of an instance is closed, and what everyone may request all the same',
      answers: { 200: { description: 'The gate', schema: gateSchema } },
      handle: (c, { params: { subdomain } }) =>
        wantsPage(c) ? page(c, subdomain) : c.json(wire(gates.of(find(c, subdomain).id))),
    }),
    route({
      ...{ ...changing, method: 'put' },
      summary: 'Close the gate of an instance to all but signed-in owners and operators, or open it',
      handle: (c, { params, body: wish }) => change(c, params.subdomain, wish),
    }),
    route({
      ...{ ...changing, method: 'post' },
      summary: 'Same as PUT, for forms',
      onInvalid: (c, errors, fields) =>
        page(c, c.req.param('subdomain') ?? '', {
          closed: fields.closed === 'true',
          paths: String(fields.public_paths ?? ''),
          errors,
        }),
      handle: (c, { params, body: wish }) => change(c, params.subdomain, wish),
    }),
  ]
}
