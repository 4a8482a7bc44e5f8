import { apart } from '../../src/acting.ts'
import type { SetupContext, SetupParts } from '../../src/kernel/control-plane.ts'
import { Ownership } from './commands/ownership.ts'
import type { declaration } from './declaration.ts'
import type { Driver } from './driver.ts'
import { fleetOf } from './fleet-of.ts'
import { Orphans } from './orphans/orphans.ts'
import { HealthWatch } from './reconciler/health-watch.ts'
import { Reconciler } from './reconciler/reconciler.ts'
import { purgeAt, type RetentionSettings } from './reconciler/retention.ts'
import type { StepRuns } from './reconciler/step-context.ts'
import { Measurements } from './records/disk-use.ts'
import { routeAll } from './records/fleet.ts'
import { getInstance, listInstancesOf } from './records/instance.ts'
import { markEarlierVolumes } from './records/volume-record.ts'
import { provisionerReports } from './reports.ts'
import { provisionerRoutes } from './routes.ts'
import { provisionerService } from './service.ts'
import { provisionerTasks } from './tasks.ts'
import type { VolumeLook } from './volumes/inspection.ts'

type Context = SetupContext<typeof declaration>

/** Puts the provisioner together over a driver. `look` is how it looks at volumes, `runs` what the steps of operations do. */
export async function setUpProvisioner(
  context: Context,
  driver: Driver,
  look: VolumeLook,
  runs: StepRuns,
): Promise<SetupParts<typeof declaration>> {
  const { config, db, log, clock, services, hooks, nudge, taskFaults } = context
  const { accounts } = services.auth
  const capacity = await driver.capacity().catch(() => null)
  const { fleet, variables } = fleetOf(context, driver, look)
  const health = new HealthWatch(clock)
  const closing = new AbortController()
  const settings = {
    stopGraceMs: config.PROVISIONER_STOP_GRACE,
    healthDeadlineMs: config.PROVISIONER_DEADLINE,
    atOnce: config.PROVISIONER_CONCURRENCY,
  }
  const execution = { fleet, health, settings, log, runs }
  const reconciler = new Reconciler(execution)
  const orphans = new Orphans()
  const measurements = new Measurements()
  const { counts, ...reports } = provisionerReports(fleet, orphans, measurements)
  /** Work begins at once, as soon as the transaction that requests it is over; the next round compares the rest. */
  const act = () => {
    queueMicrotask(() => apart(() => reconciler.act()))
    nudge('reconcile')
  }
  const retention: RetentionSettings = {
    keptMs: config.RETENTION_DAYS === 0 ? null : config.RETENTION_DAYS * 86_400_000,
  }
  const ownership = new Ownership({
    fleet,
    health,
    defaultImage: config.CONTROL_PLANE_IMAGE,
    purgeAt: instance => purgeAt(instance, retention, clock.now()),
    limit: () => hooks.optional('instance-limit'),
    usage: () => hooks.optional('instance-usage'),
    trafficPage: () => hooks.optional('instance-traffic-page'),
    admission: () => hooks.optional('instance-admission'),
    isOpen: id => accounts.get(id)?.closedAt === null,
    accountsByEmail: email => accounts.byEmail(email),
  })
  return {
    service: provisionerService({
      ...{ fleet, health, reconciler, ownership, retention, capacity, act },
      memoryBytes: config.INSTANCE_MEMORY,
      busiestMinute: () => hooks.optional('instance-busiest-minute'),
    }),
    routes: provisionerRoutes({
      ...{ fleet, health, settings, log, reconciler, orphans, ownership, retention, taskFaults },
      admin: services.auth.admin,
      requireRole: services.auth.requireRole,
      requireFresh: services.auth.requireFresh,
      defaultImage: config.CONTROL_PLANE_IMAGE,
      usage: () => hooks.optional('instance-usage'),
      trafficPage: () => hooks.optional('instance-traffic-page'),
      closing: closing.signal,
      variables,
      nudge: act,
    }),
    tasks: provisionerTasks({
      ...{
        fleet,
        log,
        reconciler,
        orphans,
        measurements,
        ownership,
        retention,
        counts,
        accounts,
        act,
      },
      pruneImagesMs: config.PRUNE_IMAGES_AFTER,
      objections: () => hooks.all('purge-objection'),
    }),
    on: {
      'instance-status-changed': ({ instanceId, subdomain, from, to }) => {
        if (to !== 'unhealthy' && to !== 'failed') return
        const { statusReason: reason } = getInstance(db, instanceId)
        log.warn({ subdomain, from, to, reason }, 'an instance needs attention')
      },
      'account-email-changed': ({ accountId, email }) => ownership.renameOwner(accountId, email),
      'instance-misrouted': ({ instanceId }) => reconciler.recheck(instanceId),
    },
    hooks: { 'account-kept': id => listInstancesOf(db, id).length > 0 },
    checks: { driver: () => driver.ping() },
    ...reports,
    start: async () => {
      await markEarlierVolumes(fleet, log)
      routeAll(fleet, log)
    },
    drain: () => closing.abort(),
    stop: async () => {
      // Closing the driver ends what a worker may be waiting for.
      await Promise.all([reconciler.stop(), driver.close()])
    },
  }
}
