import { z } from 'zod'
import { timestamp } from '../../../src/clock.ts'
import { wantsPage } from '../../../src/http/negotiate.ts'
import { type AppContext, type Route, route } from '../../../src/http/route.ts'
import { OrphansPage } from '../../../views/operator/host/orphans-page.tsx'
import { type Orphan, orphanKinds, repairs } from '../orphans/orphan.ts'
import { orphansPath } from '../orphans/orphans.ts'
import { effectOf, repairOrphan } from '../orphans/repair.ts'
import { unknownOrphan } from '../problems.ts'
import { type ProvisionerRoutes, truth } from './answer.ts'
import { hostFrame } from './frame.ts'

const orphanSchema = z.object({
  id: z.string(),
  kind: z.enum(orphanKinds),
  name: z.string(),
  instance_id: z.string().nullable(),
  running: z.boolean(),
  reason: z.string(),
  since: z.iso.datetime().nullable().meta({ description: 'When it was made or last changed' }),
  bytes: z.int().nullable().meta({ description: 'What it takes of the disk; null when that is not known' }),
  repair: z.enum(repairs).nullable().meta({
    description: 'What can be done about it here. None of them deletes a volume or a backup',
  }),
  effect: z.string().meta({ description: 'What that does' }),
  advice: z.string(),
})

const orphansSchema = z.object({
  containers: z
    .array(
      z.object({
        container: z.string(),
        instance_id: z.string().nullable(),
        running: z.boolean(),
        reason: z.string(),
      }),
    )
    .meta({ description: 'The containers among the items' }),
  items: z.array(orphanSchema),
  unknown: z.array(z.string()).meta({ description: 'What could not be looked at' }),
  checked_at: z.iso.datetime().nullable(),
})

/** What does not fit the records: seen, compared again, and repaired one by one. */
export function orphanRoutes(parts: ProvisionerRoutes): Route[] {
  const { admin, fleet, orphans, log } = parts
  const { dataRoot } = fleet.site
  const answer = (c: AppContext) => {
    const { found, unknown, checkedAt } = orphans
    if (wantsPage(c)) {
      const items = found.map(each => ({ ...each, effect: effectOf(each, dataRoot) }))
      const page = <OrphansPage {...{ items, unknown, checkedAt }} now={fleet.clock.now()} />
      return c.render(page, hostFrame(parts, 'Orphans'))
    }
    return c.json({
      containers: found
        .filter(({ kind }) => kind === 'container')
        .map(({ name, instanceId, running, why }) => ({
          ...{ container: name, instance_id: instanceId || null, running, reason: why },
        })),
      items: found.map(each => wire(each, dataRoot)),
      unknown: [...unknown],
      checked_at: timestamp(checkedAt),
    })
  }
  return [
    route({
      method: 'get',
      path: orphansPath,
      summary:
        'What does not fit the records, as of the last comparison: containers, networks, folders, routes, backups, instances',
      guard: admin,
      role: 'read',
      answers: { 200: { description: 'The orphans', schema: orphansSchema } },
      handle: answer,
    }),
    route({
      method: 'post',
      path: `${orphansPath}/compare`,
      summary: 'Compare what is there with the records now',
      guard: admin,
      role: 'operate',
      audit: { none: 'it only looks, and changes nothing' },
      body: z.object({}),
      answers: {
        200: { description: 'The orphans', schema: orphansSchema },
        303: { description: 'For a browser: back to the page' },
      },
      handle: async c => {
        await orphans.compare(fleet, log)
        return wantsPage(c) ? c.redirect(orphansPath, 303) : answer(c)
      },
    }),
    route({
      method: 'post',
      path: `${orphansPath}/{id}/repair`,
      summary:
        'Do what can be done about one orphan, after a new look at it; no volume and no backup is deleted',
      guard: admin,
      role: 'own',
      params: z.object({ id: z.string() }),
      body: z.object({
        dry_run: truth.optional().meta({ description: 'Only say what would be done' }),
      }),
      answers: {
        200: {
          description: 'What was done, or would be',
          schema: z.object({ done: z.boolean(), what: z.string() }),
        },
        303: { description: 'For a browser: back to the page' },
      },
      handle: async (c, { params, body }) => {
        const orphan = orphans.found.find(({ id }) => id === params.id)
        if (!orphan)
          throw unknownOrphan(`Nothing of the last comparison has the id "${params.id}". Compare again.`)
        c.set('about', `${orphan.kind} ${orphan.name}`)
        if (body.dry_run) {
          c.set('about', null)
          return c.json({ done: false, what: effectOf(orphan, dataRoot) })
        }
        const what = await repairOrphan(fleet, orphan, { recheck: id => parts.reconciler.recheck(id) })
        log.info({ kind: orphan.kind, name: orphan.name, what }, 'repaired what did not fit the records')
        await orphans.compare(fleet, log)
        parts.nudge()
        return wantsPage(c) ? c.redirect(orphansPath, 303) : c.json({ done: true, what })
      },
    }),
  ]
}

const wire = (orphan: Orphan, dataRoot: string): z.input<typeof orphanSchema> => ({
  ...{ id: orphan.id, kind: orphan.kind, name: orphan.name, instance_id: orphan.instanceId || null },
  ...{ running: orphan.running, reason: orphan.why, since: timestamp(orphan.since), bytes: orphan.bytes },
  ...{ repair: orphan.repair, effect: effectOf(orphan, dataRoot), advice: orphan.advice },
})
