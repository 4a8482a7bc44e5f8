import { z } from 'zod'
import { numberField, optionalNumberField } from '../../../src/http/json-schema.ts'
import { searchField } from '../../../src/http/list-window.ts'
import { wantsFragment, wantsPage } from '../../../src/http/negotiate.ts'
import { type Route, route } from '../../../src/http/route.ts'
import { restartOlder } from '../commands/settings-restart.ts'
import { diskUseOf, diskUsesOf } from '../records/disk-use.ts'
import { findRollbacks } from '../records/pinned-image.ts'
import { settingsDigest } from '../records/settings-digest.ts'
import { type ProvisionerRoutes, truth } from './answer.ts'
import { listWindowOf } from './instance-list.ts'
import { type InstancePages, instancesListed } from './pages.tsx'
import { instanceSchema, orphansSchema, wireInstance, wireOrphans } from './wire.ts'

/** Instances in one answer for a script. */
const mostListed = 1000

const listQuery = z.object({
  limit: optionalNumberField(1, mostListed),
  offset: numberField(0, 999_999_999, 0),
  search: searchField,
  outdated: truth.optional().meta({ description: 'List only those that run with older settings' }),
  behind: truth.optional().meta({ description: 'List only those whose image is not the configured one' }),
  purged: z
    .string()
    .max(63)
    .optional()
    .meta({ description: 'On the page, show the progress of deleting this instance' }),
})

function nextAddress(
  { search, outdated, behind, limit }: { search: string; outdated: boolean; behind: boolean; limit: number },
  offset: number,
): string {
  const query = new URLSearchParams({
    ...(search && { search }),
    ...(outdated && { outdated: 'true' }),
    ...(behind && { behind: 'true' }),
    limit: String(limit),
    offset: String(offset),
  })
  return `/admin/instances?${query}`
}

/** The instances by name, for scripts and for people. */
export function listRoute(parts: ProvisionerRoutes, pages: InstancePages): Route {
  const { fleet, admin } = parts
  return route({
    method: 'get',
    path: '/admin/instances',
    summary: `Instances by name, ${mostListed} per page; \`Link\` leads to the next page`,
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
      const {
        search,
        offset,
        outdated = false,
        behind = false,
        limit = isPage ? instancesListed : mostListed,
      } = query
      const list = {
        search,
        outdated,
        behind,
        offset,
        limit: isPage ? Math.min(limit, instancesListed) : limit,
      }
      const digest = settingsDigest(fleet)
      const window = listWindowOf(fleet.db, list, digest, fleet.defaultImage)
      if (isPage) return pages.list(c, window, list, query.purged)
      const next = offset + window.rows.length
      if (next < window.found && window.rows.length > 0)
        c.header('Link', `<${nextAddress(list, next)}>; rel="next"`)
      const listed = window.rows.map(({ instance }) => instance)
      const rollbacks = findRollbacks(
        fleet.db,
        listed.map(({ id }) => id),
      )
      const disks = diskUsesOf(fleet, listed)
      return c.json({
        instances: window.rows.map(({ instance, operation }) =>
          wireInstance(parts, instance, {
            ...{ operation, digest },
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

export function orphansRoute({ admin, orphans }: ProvisionerRoutes): Route {
  return route({
    method: 'get',
    path: '/admin/orphans',
    summary: 'Containers without a matching record, as of the last check',
    guard: admin,
    role: 'read',
    answers: { 200: { description: 'The containers', schema: orphansSchema } },
    handle: c => c.json(wireOrphans(orphans.found)),
  })
}
