import { z } from 'zod'
import { numberField, optionalNumberField } from '../../../src/http/json-schema.ts'
import { wantsFragment, wantsPage } from '../../../src/http/negotiate.ts'
import { invalidFields } from '../../../src/http/problem.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { restartOlder } from '../commands/settings-restart.ts'
import type { ProvisionerRoutes } from '../pages/answer.ts'
import { instanceSchema, wireInstance } from '../pages/wire.ts'
import { diskUseOf, diskUsesOf } from '../records/disk-use.ts'
import { findRollbacks } from '../records/pinned-image.ts'
import { settingsDigest } from '../records/settings-digest.ts'
import { filterFields, filterQuery, filterSchema } from './filter.ts'
import { instancesListed, showList } from './list-page.tsx'
import { type Cursor, nameOf, orderNames, orderOf, readCursor, sortColumns } from './order.ts'
import { listWindowOf, type WindowQuery } from './window.ts'

/** Instances in one answer for a script. */
const mostListed = 1000

const columnsInWords = sortColumns.join(', ')

const listQuery = z.object({
  ...filterFields,
  sort: z
    .enum(orderNames, `must be one of ${columnsInWords}, with - before it for the reverse`)
    .optional()
    .meta({
      description: `One of ${columnsInWords}, with \`-\` before it for the reverse; by name when left out. \`status\` begins with those that need you`,
    }),
  limit: optionalNumberField(1, mostListed),
  offset: numberField(0, 999_999_999, 0),
  cursor: z
    .string()
    .max(1000)
    .optional()
    .meta({ description: 'Where to begin, from the `Link` of the page before; in place of `offset`' }),
  purged: z
    .string()
    .max(63)
    .optional()
    .meta({ description: 'On the page, show the progress of deleting this instance' }),
})

/** Throws `invalid` for a cursor that is not ours, or is one of another order. */
function cursorOf(text: string | undefined, sort: string): Cursor | null {
  if (text === undefined) return null
  const cursor = readCursor(text)
  if (cursor?.order === sort) return cursor
  const message = cursor
    ? `belongs to sort=${cursor.order}; begin again without it`
    : 'must be taken from the Link of the page before'
  throw invalidFields([{ path: 'cursor', message }])
}

function nextAddress({ filter, order, limit }: WindowQuery, cursor: string): string {
  const query = filterQuery(filter)
  if (nameOf(order) !== 'subdomain') query.set('sort', nameOf(order))
  query.set('limit', String(limit))
  query.set('cursor', cursor)
  return `/admin/instances?${query}`
}

/** The instances, filtered and sorted, for scripts and for people. */
export function listRoute(parts: ProvisionerRoutes): Route {
  const { fleet, admin } = parts
  return route({
    method: 'get',
    path: '/admin/instances',
    summary: `Instances, filtered and sorted, ${mostListed} per page; \`Link\` leads to the next page`,
    guard: admin,
    role: 'read',
    query: listQuery,
    answers: {
      200: {
        description: 'The instances',
        headers: { Link: 'A link to the `next` page (RFC 8288); absent on the last page' },
        schema: z.object({
          instances: z.array(instanceSchema),
          total: z.int().meta({ description: 'How many there are, on all pages' }),
          outdated: z.int().meta({ description: 'How many of all instances run with older settings' }),
          behind: z
            .int()
            .meta({ description: 'How many of all instances have another image than the configured one' }),
        }),
      },
    },
    handle: (c, { query }) => {
      const isPage = wantsPage(c) || wantsFragment(c)
      const { sort = isPage ? 'status' : 'subdomain', limit = isPage ? instancesListed : mostListed } = query
      const list: WindowQuery = {
        filter: filterSchema.parse(c.req.query()),
        order: orderOf(sort),
        cursor: cursorOf(query.cursor, sort),
        offset: query.offset,
        limit: isPage ? Math.min(limit, instancesListed) : limit,
      }
      const window = listWindowOf(fleet, list)
      if (isPage) return showList(parts, c, window, list, query.purged)
      if (window.next !== null) c.header('Link', `<${nextAddress(list, window.next)}>; rel="next"`)
      const listed = window.rows.map(({ instance }) => instance)
      const rollbacks = findRollbacks(
        fleet.db,
        listed.map(({ id }) => id),
      )
      const digest = settingsDigest(fleet)
      const disks = diskUsesOf(fleet, listed)
      return c.json({
        instances: window.rows.map(({ instance, operation, note }) =>
          wireInstance(parts, instance, {
            ...{ operation, digest, note },
            rollback: rollbacks.get(instance.id) ?? null,
            disk: disks.get(instance.id) ?? diskUseOf(fleet, instance),
          }),
        ),
        total: window.found,
        outdated: window.outdated,
        behind: window.behind,
      })
    },
  })
}

export function restartOutdatedRoute(parts: ProvisionerRoutes): Route {
  const { fleet, admin } = parts
  return route({
    method: 'post',
    path: '/admin/instances/restart-outdated',
    summary: 'Restart every instance that runs with older settings of the control plane, a few at a time',
    guard: admin,
    role: 'operate',
    body: z.object({}),
    answers: {
      202: {
        description: 'The instances that will restart, without those that an operation is working on',
        schema: z.object({
          instances: z.array(z.object({ subdomain: z.string(), operation_id: z.string().nullable() })),
        }),
      },
      303: { description: 'For a browser: back to the list' },
    },
    handle: c => {
      const restarted = restartOlder(fleet)
      parts.nudge()
      if (wantsPage(c)) return c.redirect('/admin/instances', 303)
      const wire = restarted.map(({ subdomain, operationId }) => ({ subdomain, operation_id: operationId }))
      return c.json({ instances: wire }, 202)
    },
  })
}
