import type { AppContext } from '../../../src/http/route.ts'
import { show } from '../../../src/http/show.ts'
import { InstancesLive, type InstancesProps } from '../../../views/operator/list/instances.tsx'
import { siteUrl } from '../../site/contract.ts'
import { desiredStates, instanceStatuses } from '../contract.ts'
import { driverNames } from '../driver.ts'
import type { ProvisionerRoutes } from '../pages/answer.ts'
import { frame } from '../pages/frame.ts'
import { runtimeViews } from '../pages/runtime-view.ts'
import { diskUsesOf } from '../records/disk-use.ts'
import { reachableAt } from '../records/fleet.ts'
import { findBySubdomain } from '../records/instance.ts'
import type { OperationRecord } from '../records/operation.ts'
import type { Instance } from '../schema.ts'
import { filterQuery, healths } from './filter.ts'
import { nameOf } from './order.ts'
import { type InstanceWindow, valuesOf, type WindowQuery } from './window.ts'

/** Instances on one page of the list. */
export const instancesListed = 100

/** The list as a page, or the live part of it. */
export function showList(
  parts: ProvisionerRoutes,
  c: AppContext,
  window: InstanceWindow,
  query: WindowQuery,
  purged?: string,
) {
  const { db } = parts.fleet
  const purge = purged ? { subdomain: purged, done: findBySubdomain(db, purged) === null } : null
  const page = <InstancesLive {...listProps(parts, window, query)} purge={purge} />
  return show(c, page, frame(parts, 'Instances', 5))
}

function listProps(
  parts: ProvisionerRoutes,
  { rows, total, removed, outdated, behind, found }: InstanceWindow,
  { filter, order, offset, limit }: WindowQuery,
): Omit<InstancesProps, 'purge'> {
  const { fleet, health } = parts
  const { site, clock } = fleet
  const runtimeOf = runtimeViews(parts)
  const disks = diskUsesOf(
    fleet,
    rows.map(({ instance }) => instance),
  )
  const { plans, versions } = valuesOf(fleet)
  return {
    ...{ domain: site.domain, now: clock.now(), total, removed, outdated, behind },
    list: {
      offset,
      limit,
      total: found,
      sort: nameOf(order),
      filter: Object.fromEntries(filterQuery(filter)),
    },
    choices: {
      status: instanceStatuses,
      desired: desiredStates,
      health: healths,
      driver: driverNames,
      ...{ plan: plans, version: versions },
    },
    instances: rows.map(({ instance, operation, note }) => {
      const { version, ...runtime } = runtimeOf(instance)
      return {
        ...{ subdomain: instance.subdomain, ownerEmail: instance.ownerEmail, status: instance.status },
        url: siteUrl(site, instance.subdomain),
        reachable: reachableAt(instance) !== null,
        ...runtime,
        version: version ?? note?.version ?? null,
        note: noteOf(instance, operation),
        plan: note?.plan ?? null,
        unpaid: note?.unpaid ?? false,
        disk: disks.get(instance.id) ?? null,
        copiedAt: note?.copiedAt ?? null,
        copyOverdue: note?.copyOverdue ?? false,
        createdAt: instance.createdAt,
        lastHealthAt: health.lastHealthyAt(instance.id) ?? instance.lastHealthAt,
      }
    }),
  }
}

function noteOf(instance: Instance, operation: OperationRecord | null): string | null {
  const step = operation?.steps.find(each => each.status === 'running')
  return (
    step?.name ?? instance.suspension?.reason ?? instance.statusReason?.split('\n')[0]?.slice(0, 120) ?? null
  )
}
