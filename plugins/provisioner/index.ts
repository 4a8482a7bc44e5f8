import { join } from 'node:path'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { setting } from '../../src/kernel/config.ts'
import { definePlugin } from '../../src/kernel/control-plane.ts'
import '../site/contract.ts'
import { exceeds } from './drivers/capacity.ts'
import { chooseDriver, driverConfig } from './drivers/choice.ts'
import './contract.ts'
import { request } from './commands/commands.ts'
import { Ownership } from './commands/ownership.ts'
import { restore } from './commands/restore.ts'
import type { InstanceSummary } from './contract.ts'
import { HealthWatch } from './reconciler/health-watch.ts'
import { limitInstance } from './reconciler/limits.ts'
import { recordHealth, watched, watchedOne } from './reconciler/observation.ts'
import { compareEveryMs, Orphans } from './reconciler/orphans.ts'
import { Reconciler } from './reconciler/reconciler.ts'
import { purgeAt, retentionLookMs, runRetention } from './reconciler/retention.ts'
import { routeAll } from './records/fleet.ts'
import { getInstance, listInstances, listInstancesOf } from './records/instance.ts'
import { instanceMail, instanceMailConfig } from './records/instance-mail.ts'
import { pruneOperations } from './records/operation.ts'
import { loadSecretKeys, secretKeysConfig } from './records/secret-keys.ts'
import { resumeInstance, suspendInstance } from './records/suspension.ts'
import { markEarlierVolumes } from './records/volume-record.ts'
import { provisionerRoutes } from './routes.tsx'
import type { Instance } from './schema.ts'
import * as schema from './schema.ts'
import { patientLook, type VolumeLook } from './volumes/inspection.ts'
import { lookAtVolume, volumePath } from './volumes/volume.ts'

/** The provisioner over whatever creates instances; tests hand in a driver, and a disk, of their own. */
export const provisionerOver = (
  choose: typeof chooseDriver,
  look: VolumeLook = patientLook(lookAtVolume, systemClock),
) =>
  definePlugin({
    name: 'provisioner',
    needs: ['auth', 'router', 'site'],
    asks: {
      'instance-admission': 'optional',
      'instance-environment': 'any',
      'instance-limit': 'optional',
      'purge-objection': 'any',
    },
    config: driverConfig
      .and(
        z.object({
          /** How long an instance may take to become healthy, and to stop by itself. */
          PROVISIONER_DEADLINE: setting.duration().prefault('60s'),
          PROVISIONER_STOP_GRACE: setting.duration().prefault('30s'),
          /** Operations that are carried out at the same time. */
          PROVISIONER_CONCURRENCY: setting.integer(1, 256).prefault('16'),
          /** How long the name of a purged instance is kept from other accounts. */
          PROVISIONER_QUARANTINE: setting.duration('0ms', '3650d').prefault('30d'),
          /** The zone of jobs that name none. */
          INSTANCE_TIMEZONE: setting.timezone().default('UTC'),
          /** How many runs of each job an instance keeps, and for how long. */
          INSTANCE_KEEP_RUNS: setting.integer(1, 100_000).prefault('500'),
          INSTANCE_KEEP_FOR: setting.duration('1h', '3650d').prefault('90d'),
          /** Days that the volume of a removed instance is kept; 0 keeps it until it is purged. */
          RETENTION_DAYS: setting.integer(0, 3650).prefault('30'),
        }),
      )
      .and(secretKeysConfig)
      .and(instanceMailConfig),
    tables: { schema, migrations: 'plugins/provisioner/migrations' },
    setup: async ({ config, db, log, clock, services, hooks, emit, nudge, taskFaults }) => {
      const { site } = services
      const driver = await choose(config, site, log)
      const capacity = await driver.capacity().catch(() => null)
      const health = new HealthWatch(clock)
      const fleet = {
        db,
        driver,
        router: services.router,
        lookAtVolume: look,
        site,
        clock,
        timezone: config.INSTANCE_TIMEZONE,
        keep: { runsPerJob: config.INSTANCE_KEEP_RUNS, forMs: config.INSTANCE_KEEP_FOR },
        stopGraceMs: config.PROVISIONER_STOP_GRACE,
        secretKeys: loadSecretKeys(config, join(site.dataRoot, '.control', 'instance-secrets-key')),
        mail: instanceMail(config),
        quarantineMs: config.PROVISIONER_QUARANTINE,
        environments: () => hooks.all('instance-environment').map(({ answer }) => answer()),
        emit,
      }
      const settings = {
        stopGraceMs: config.PROVISIONER_STOP_GRACE,
        healthDeadlineMs: config.PROVISIONER_DEADLINE,
        atOnce: config.PROVISIONER_CONCURRENCY,
      }
      const execution = { fleet, health, settings, log }
      const reconciler = new Reconciler(execution)
      const orphans = new Orphans()
      /** What was asked for begins at once, as soon as the transaction that asks is over; the next round compares the rest. */
      const act = () => {
        queueMicrotask(() => reconciler.act())
        nudge('reconcile')
      }
      const retention = { keptMs: config.RETENTION_DAYS === 0 ? null : config.RETENTION_DAYS * 86_400_000 }
      const purgeTime = (instance: Instance) => purgeAt(instance, retention, clock.now())
      const summary = ({ removal, suspension, ...instance }: Instance): InstanceSummary => ({
        ...instance,
        volume: volumePath(site.dataRoot, instance.subdomain),
        deletedAt: removal?.deletedAt ?? null,
        deletedBy: removal?.by ?? null,
        purgeAt: purgeTime({ ...instance, removal, suspension }),
        suspendedAt: suspension?.since ?? null,
        suspension: suspension?.reason ?? null,
      })
      const ownership = new Ownership({
        ...execution,
        defaultImage: config.CONTROL_PLANE_IMAGE,
        purgeAt: purgeTime,
        limit: () => hooks.optional('instance-limit'),
        admission: () => hooks.optional('instance-admission'),
        isOpen: id => services.auth.accounts.get(id)?.closedAt === null,
        accountsByEmail: email => services.auth.accounts.byEmail(email),
      })
      return {
        service: {
          instances: () => listInstances(db).map(summary),
          setDesired: (subdomain, desired, by) => {
            const kinds = { running: 'start', stopped: 'stop', deleted: 'deprovision' } as const
            request(fleet, subdomain, kinds[desired], by ? { by } : {})
            act()
          },
          restore: subdomain => {
            restore(fleet, subdomain)
            act()
          },
          suspend: (id, why) => {
            const done = suspendInstance(fleet, id, why)
            if (done) act()
            return done
          },
          resume: id => {
            const done = resumeInstance(fleet, id)
            if (done) act()
            return done
          },
          limit: (id, limits) => {
            const done = limitInstance(fleet, id, limits)
            if (done) act()
            return done
          },
          owned: account => ownership.of(account, act),
          limitFault: (limits, whose) => capacity && exceeds(limits, capacity, whose),
          retentionMs: retention.keptMs,
          watched: () => watched(db),
          watchedOne: id => watchedOne(db, id),
          recordHealth: (id, seen) => {
            if (!recordHealth(fleet, health, id, seen)) return
            reconciler.recheck(id)
          },
        },
        routes: provisionerRoutes({
          ...execution,
          admin: services.auth.admin,
          reconciler,
          ownership,
          retention,
          defaultImage: config.CONTROL_PLANE_IMAGE,
          nudge: act,
          orphans,
          taskFaults,
        }),
        tasks: [
          { name: 'reconcile', everyMs: 10_000, run: () => reconciler.runOnce() },
          {
            name: 'retention',
            everyMs: retentionLookMs,
            run: async signal => {
              await runRetention({
                fleet,
                settings: retention,
                objections: hooks.all('purge-objection'),
                summary,
                log,
                signal,
              })
              act()
            },
          },
          {
            name: 'follow-owners',
            everyMs: 3_600_000,
            run: async () => ownership.followOwners(services.auth.accounts),
          },
          {
            name: 'compare-containers',
            everyMs: compareEveryMs,
            run: () =>
              orphans
                .compare(fleet, log)
                .catch(error =>
                  log.warn({ err: error }, 'could not compare the containers with the records'),
                ),
          },
          { name: 'prune-operations', everyMs: 3_600_000, run: async () => pruneOperations(db, 50) },
        ],
        on: {
          'instance-status-changed': ({ instanceId, subdomain, from, to }) => {
            if (to !== 'unhealthy' && to !== 'failed') return
            const { statusReason: reason } = getInstance(db, instanceId)
            log.warn({ subdomain, from, to, reason }, 'an instance needs attention')
          },
          'account-email-changed': ({ accountId, email }) => ownership.renameOwner(accountId, email),
          'instance-misrouted': ({ instanceId }) => {
            reconciler.recheck(instanceId)
          },
        },
        hooks: { 'account-kept': id => listInstancesOf(db, id).length > 0 },
        checks: { driver: () => driver.ping() },
        start: async () => {
          await markEarlierVolumes(fleet, log)
          routeAll(fleet, log)
        },
        stop: async () => {
          // Closing the driver ends what a worker may be waiting for.
          await Promise.all([reconciler.stop(), driver.close()])
        },
      }
    },
  })

export const provisioner = provisionerOver(chooseDriver)
