import { z } from 'zod'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import { BulkConfirmPage, BulkResultPage } from '../../../views/operator/list/bulk-pages.tsx'
import { type BulkResult, bulkActions, mostAtOnce, requestAll } from '../commands/bulk.ts'
import { refuseOtherImage } from '../commands/upgrade-image.ts'
import { type ProvisionerRoutes, truth } from '../pages/answer.ts'
import { frame } from '../pages/frame.ts'
import { filterSchema } from './filter.ts'
import { namesFound } from './window.ts'

const names = z.array(z.string().max(63)).max(mostAtOnce, `may be at most ${mostAtOnce} instances at once`)

const bulkBody = z.object({
  action: z.enum(bulkActions, `must be one of ${bulkActions.join(', ')}`),
  instances: z
    .preprocess(value => (typeof value === 'string' ? [value] : value), names.optional())
    .optional()
    .meta({ description: 'The subdomains' }),
  everything: truth.optional().meta({ description: 'In place of `instances`: all that `filter` finds' }),
  filter: z.string().max(2000, 'may have at most 2000 characters').optional().meta({
    description: 'Query parameters as for `GET /admin/instances`, such as `status=failed&plan=Basic`',
  }),
  dry_run: truth.optional().meta({ description: 'Only say which instances it would be' }),
  confirmed: truth.optional().meta({ description: 'On the page: what was shown was confirmed' }),
})
type BulkBody = z.output<typeof bulkBody>

const resultSchema = z.object({
  dry_run: z.boolean(),
  instances: z.array(
    z.object({
      subdomain: z.string(),
      result: z.enum(['accepted', 'unchanged', 'refused']).nullable().meta({
        description: '`unchanged`: it was so already. Null in a dry run',
      }),
      operation_id: z.string().nullable(),
      detail: z.string().nullable().meta({ description: 'Why it was refused; null otherwise' }),
    }),
  ),
})

/** Does the same to several instances: chosen ones, or all that a filter finds. */
export function bulkRoute(parts: ProvisionerRoutes): Route {
  return route({
    method: 'post',
    path: '/admin/instances/bulk',
    summary: `Start, stop, restart, back up or upgrade up to ${mostAtOnce} instances; the answer and the audit log have an entry for each`,
    operation: 'bulkInstances',
    guard: parts.admin,
    role: 'operate',
    body: bulkBody,
    answers: {
      200: { description: 'Nothing was begun: a dry run, or nothing to do', schema: resultSchema },
      202: { description: 'Work has begun on those that are `accepted`', schema: resultSchema },
    },
    handle: async (c, { body }) => {
      if (body.action === 'upgrade') await refuseOtherImage(parts.fleet, parts.defaultImage, 'action')
      // On the page, some may be ticked when all are asked for; what is shown is confirmed first.
      const chosen = chosenBy(parts, wantsPage(c) && body.everything ? { ...body, instances: [] } : body)
      if (body.dry_run || (wantsPage(c) && !body.confirmed)) return show(parts, c, body, chosen)
      const results = await requestAll(parts.fleet, chosen, {
        action: body.action,
        image: parts.defaultImage,
        begun: parts.nudge,
      })
      const began = results.some(({ result }) => result === 'accepted')
      if (!began) c.set('about', null)
      c.status(began ? 202 : 200)
      if (!wantsPage(c)) return c.json({ dry_run: false, instances: results.map(wire) })
      const page = <BulkResultPage action={body.action} results={results} />
      return c.render(page, frame(parts, 'Done to several instances'))
    },
  })
}

/** Throws `invalid` unless it says which instances, and they are not too many. */
function chosenBy(
  { fleet }: ProvisionerRoutes,
  { instances = [], everything, filter = '' }: BulkBody,
): string[] {
  if (!everything) {
    const chosen = [...new Set(instances)]
    if (chosen.length > 0) return chosen
    throw invalidFields([
      {
        path: 'instances',
        message: 'must name at least one instance; or set everything to true for all that the filter finds',
      },
    ])
  }
  if (instances.length > 0)
    throw invalidFields([
      { path: 'everything', message: 'cannot be true beside instances; give one of them' },
    ])
  const query = new URLSearchParams(filter)
  const names = [...new Set(query.keys())]
  const unknown = names.filter(name => !Object.hasOwn(filterSchema.shape, name))
  const repeated = names.filter(name => query.getAll(name).length > 1)
  const parsed = filterSchema.safeParse(Object.fromEntries(query))
  const errors = [
    ...unknown.map(name => `has "${name}", which the list does not know`),
    ...repeated.map(name => `has "${name}" more than once; give it once`),
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`),
  ].map(message => ({ path: 'filter', message }))
  if (errors.length > 0 || !parsed.success) throw invalidFields(errors)
  const found = namesFound(fleet, parsed.data, mostAtOnce + 1)
  if (found.length > mostAtOnce)
    throw invalidFields([
      {
        path: 'filter',
        message: `finds more than ${mostAtOnce} instances; narrow it, and do the rest after that`,
      },
    ])
  return found
}

/** What would be done; nothing is changed. */
function show(parts: ProvisionerRoutes, c: AppContext, { action }: BulkBody, chosen: readonly string[]) {
  c.set('about', null)
  if (wantsPage(c)) {
    const page = <BulkConfirmPage action={action} subdomains={chosen} image={parts.defaultImage} />
    return c.render(page, frame(parts, 'Confirm'))
  }
  const instances = chosen.map(subdomain => ({ subdomain, result: null, operation_id: null, detail: null }))
  return c.json({ dry_run: true, instances })
}

const wire = ({ subdomain, result, operationId, detail }: BulkResult) => ({
  ...{ subdomain, result, operation_id: operationId, detail },
})
