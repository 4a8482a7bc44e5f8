import type { AppContext, FieldErrors } from '../../../src/http/route.ts'
import { show } from '../../../src/http/show.ts'
import { CreatedPage, InstanceLive, type InstanceProps } from '../../../views/operator/instance/instance.tsx'
import { NewInstancePage, type NewInstanceValues } from '../../../views/operator/new-instance.tsx'
import { siteUrl } from '../../site/contract.ts'
import { type Remover, type UsagePeriod, usagePeriods } from '../contract.ts'
import { purgeAt } from '../reconciler/retention.ts'
import { diskUseOf } from '../records/disk-use.ts'
import { reachableAt, specOf } from '../records/fleet.ts'
import { operationsOf } from '../records/operation.ts'
import { availabilityOf, statusSpans } from '../records/status-history.ts'
import type { Instance } from '../schema.ts'
import { variablesDiffer } from '../variables/change.ts'
import type { ProvisionerRoutes } from './answer.ts'
import { frame } from './frame.ts'
import { lostWithoutCopy, operationView } from './operation-view.ts'
import { runtimeViews, upgradeView } from './runtime-view.ts'

const removerWords: Record<Remover, string> = {
  operator: 'the operator',
  owner: 'its owner',
  billing: 'billing: it was not paid for',
}

/** The operator's pages: records turned into what the views show. A fragment is the live part of its page. */
export function instancePages(parts: ProvisionerRoutes) {
  const { fleet, defaultImage } = parts
  const { site, driver } = fleet
  return {
    /** With `purgeFault`, the form that deletes its data is open and says what is wrong. */
    show: (c: AppContext, instance: Instance, purgeFault: string | null = null) => {
      const props = { ...instanceProps(parts, instance, periodOf(c)), purgeFault }
      if (purgeFault !== null) {
        c.status(422)
        return c.render(<InstanceLive {...props} />, frame(parts, instance.subdomain))
      }
      const busy = props.operations[0]?.status === 'pending' || props.operations[0]?.status === 'running'
      return show(c, <InstanceLive {...props} />, frame(parts, instance.subdomain, busy ? 1 : 10))
    },
    created: (c: AppContext, instance: Instance, password: string) => {
      c.status(202)
      c.header('Cache-Control', 'no-store')
      const page = <CreatedPage {...instanceProps(parts, instance)} password={password} />
      return c.render(page, frame(parts, instance.subdomain))
    },
    create: (
      c: AppContext,
      values: NewInstanceValues,
      errors: FieldErrors,
      { status = 422, taken = null }: { status?: number; taken?: string | null } = {},
    ) => {
      if (errors.length > 0) c.status(status as 422)
      const form = (
        <NewInstancePage
          domain={site.domain}
          defaultImage={driver.usesImages ? defaultImage : null}
          values={values}
          errors={errors}
          taken={taken}
        />
      )
      return c.render(form, { ...frame(parts, 'New instance'), narrow: true })
    },
  }
}
export type InstancePages = ReturnType<typeof instancePages>

const lastHealthAt = ({ health }: ProvisionerRoutes, instance: Instance) =>
  health.lastHealthyAt(instance.id) ?? instance.lastHealthAt

/** The period in a page's address; the last day when there is none that we know. */
const periodOf = (c: AppContext): UsagePeriod =>
  usagePeriods.find(period => period === c.req.query('period')) ?? 'day'

function instanceProps(
  parts: ProvisionerRoutes,
  instance: Instance,
  period: UsagePeriod = 'day',
): InstanceProps {
  const { fleet, health, retention, ownership } = parts
  const { db, site, clock } = fleet
  const { removal, suspension } = instance
  const now = clock.now()
  return {
    now,
    period,
    health: {
      availability: availabilityOf(db, instance.id, now),
      spans: statusSpans(db, instance.id, 8),
    },
    usage: parts.usage()?.(instance.id, period) ?? null,
    trafficPage: parts.trafficPage()?.(instance.subdomain, 'operator') ?? null,
    runs: health.runsOf(instance.id),
    copies: fleet.copies()?.overview(instance.id) ?? null,
    operations: operationsOf(db, instance.id, 10).map(operation => operationView(operation, instance, now)),
    instance: {
      id: instance.id,
      subdomain: instance.subdomain,
      url: siteUrl(site, instance.subdomain),
      ownerEmail: instance.ownerEmail,
      plan: ownership.planOf(instance),
      status: instance.status,
      statusReason: instance.statusReason,
      volumeFault: instance.volumeFault,
      reachable: reachableAt(instance) !== null,
      desired: instance.desired,
      driver: instance.driver,
      ...runtimeViews(parts)(instance),
      ...upgradeView(parts, instance),
      variablesWait: variablesDiffer(parts.variables, instance),
      volume: specOf(fleet, instance).volume,
      createdAt: instance.createdAt,
      lastHealthAt: lastHealthAt(parts, instance),
      deletedAt: removal?.deletedAt ?? null,
      ownerChangedAt: instance.handedOverAt,
      deletedBy: removal?.by ? removerWords[removal.by] : null,
      purgeAt: purgeAt(instance, retention, now),
      retentionHeld: removal?.objection ?? null,
      lostWithoutCopy: lostWithoutCopy(fleet, instance),
      billed: ownership.charges ? instance.billed : null,
      suspension: suspension?.reason ?? null,
      suspendedAt: suspension?.since ?? null,
      limits: {
        memoryBytes: instance.memoryBytes ?? fleet.limits.memoryBytes,
        cpus: instance.cpus ?? fleet.limits.cpus,
        pids: instance.pids ?? fleet.limits.pids,
        runsAtOnce: instance.runsAtOnce ?? fleet.runsAtOnce,
        disk: diskUseOf(fleet, instance),
      },
    },
  }
}
