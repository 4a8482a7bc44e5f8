import { z } from 'zod'
import { readerOf } from '../../src/http/events/readers.ts'
import { preferredWait, wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import { durationMs } from '../../src/kernel/config.ts'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import { PreviewPage } from '../../views/operator/upgrades/preview-page.tsx'
import type { FleetUpgrading } from './advance.ts'
import { cancel, pause, resume, startFleetUpgrade, undo } from './orders.ts'
import { listPage, upgradePage } from './pages.tsx'
import { noImages } from './problems.ts'
import { listUpgrades, membersOf, requireUpgrade } from './records.ts'
import type { FleetUpgrade } from './schema.ts'
import type { Watch } from './watch.ts'
import { estimate, leftOut, planWaves } from './waves.ts'
import {
  orderFields,
  previewSchema,
  upgradeSchema,
  upgradeSummarySchema,
  wireSummaries,
  wireSummary,
  wireUpgrade,
  wireWaves,
} from './wire.ts'

const path = '/admin/upgrades'
const named = z.object({ id: z.string() })
const nothing = z.object({})

/** The states in which nothing more happens until an operator decides. */
const atRest: readonly FleetUpgrade['state'][] = ['paused', 'halted', 'done', 'cancelled', 'undone']

export interface UpgradeRoutes extends FleetUpgrading {
  admin: Guard
  watch: Watch
  /** Makes the next round begin now. */
  nudge(): void
}

export function upgradeRoutes(parts: UpgradeRoutes): Route[] {
  const asked = (verb: string, summary: string, order: (id: string) => void) =>
    orderRoute(parts, verb, summary, nothing, id => order(id))
  return [
    listRoute(parts),
    previewRoute(parts),
    startRoute(parts),
    oneRoute(parts),
    asked('pause', 'Begin no further upgrades until it is resumed', id => pause(parts, id)),
    asked('resume', 'Go on after a pause or a halt, and accept the failures until now', id =>
      resume(parts, id),
    ),
    asked('cancel', 'End a fleet upgrade; what was upgraded stays so', id => cancel(parts, id)),
    orderRoute(
      parts,
      'undo',
      'Roll back what was upgraded in one wave, or in every one, the newest first',
      z.object({
        wave: z
          .preprocess(
            value => (typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value),
            z.int('must be the number of a wave').min(1, 'must be the number of a wave'),
          )
          .optional()
          .meta({ description: 'The wave, from 1; all when left out' }),
      }),
      (id, body, c) => undo(parts, id, body.wave ?? null, principal(c)),
    ),
  ]
}

function listRoute(parts: UpgradeRoutes): Route {
  const { db, admin } = parts
  return route({
    method: 'get',
    path,
    summary: 'Fleet upgrades, newest first: all whose records are kept',
    guard: admin,
    role: 'read',
    answers: {
      200: {
        description: 'The fleet upgrades',
        schema: z.object({ upgrades: z.array(upgradeSummarySchema) }),
      },
    },
    handle: c =>
      wantsPage(c) ? listPage(c, parts) : c.json({ upgrades: wireSummaries(db, listUpgrades(db)) }),
  })
}

function previewRoute(parts: UpgradeRoutes): Route {
  const { work, admin } = parts
  return route({
    method: 'get',
    path: `${path}/preview`,
    summary:
      'Which instances a fleet upgrade would upgrade, in which waves, and about how long it would take',
    guard: admin,
    role: 'read',
    query: z.object(orderFields),
    answers: { 200: { description: 'The waves; nothing is started', schema: previewSchema } },
    handle: async (c, { query }) => {
      const { image, imageId } = await imageOf(parts, query.image)
      const { first, parallel, halt_after, soak } = query
      const waves = planWaves(work.subjects(), { imageId, first })
      const soakMs = durationMs(soak)
      const { aboutMs, measured } = estimate(waves, { parallel, soakMs, typicalMs: work.typicalMs() })
      const total = waves.reduce((sum, { instances }) => sum + instances.length, 0)
      if (!wantsPage(c))
        return c.json({
          ...{ image, image_id: imageId, total, about_ms: aboutMs, measured },
          waves: wireWaves(waves, leftOut),
        })
      const page = (
        <PreviewPage
          {...{ image, imageId, total, aboutMs, measured, soakMs, parallel }}
          haltAfter={halt_after}
          fields={{
            ...{ image, first: first.join(' '), parallel: String(parallel) },
            ...{ halt_after: String(halt_after), soak },
          }}
          waves={waves.map(({ instances }) => ({
            instances: instances.map(each => ({ subdomain: each.subdomain, leftOut: leftOut(each) })),
          }))}
        />
      )
      return c.render(page, operatorFrame('Preview of the fleet upgrade', path))
    },
  })
}

function startRoute(parts: UpgradeRoutes): Route {
  const { work, admin } = parts
  return route({
    method: 'post',
    path,
    summary: 'Upgrade the fleet to an image, or to the current default, in waves',
    guard: admin,
    role: 'operate',
    mayWait: true,
    body: z.object(orderFields),
    answers: {
      200: { description: 'It is over, or an operator has to decide', schema: upgradeSchema },
      202: { description: 'It has started; `Location` leads to it', schema: upgradeSchema },
      303: { description: 'For a browser: to its page' },
    },
    handle: async (c, { body }) => {
      const { image, imageId } = await imageOf(parts, body.image)
      const order = {
        ...{ image, imageId, first: body.first, parallel: body.parallel },
        ...{ haltAfter: body.halt_after, soakMs: durationMs(body.soak) },
      }
      const { id } = startFleetUpgrade(parts, work.subjects(), order, principal(c))
      c.set('about', `${id} ${image}`)
      return await answer(parts, c, id)
    },
  })
}

function oneRoute(parts: UpgradeRoutes): Route {
  const { db, admin, watch } = parts
  return route({
    method: 'get',
    path: `${path}/{id}`,
    summary: 'One fleet upgrade with its instances; as events, its summary each time that it changes',
    guard: admin,
    role: 'read',
    params: named,
    answers: {
      200: {
        description: 'The fleet upgrade',
        schema: upgradeSchema,
        type: ['application/json', 'text/event-stream'],
      },
    },
    handle: (c, { params: { id } }) => {
      const upgrade = requireUpgrade(db, id)
      if (wantsPage(c) || wantsFragment(c)) return upgradePage(c, parts, upgrade)
      if ((c.req.header('accept') ?? '').includes('text/event-stream'))
        return watch.stream(readerOf(c), () => {
          const now = requireUpgrade(db, id)
          return { text: JSON.stringify(wireSummary(db, now)), isOver: now.open === null }
        })
      c.header('Cache-Control', 'no-store')
      return c.json(wireUpgrade(db, upgrade, membersOf(db, id)))
    },
  })
}

function orderRoute<B extends z.ZodType>(
  parts: UpgradeRoutes,
  verb: string,
  summary: string,
  body: B,
  order: (id: string, body: z.output<B>, c: AppContext) => void,
): Route {
  return route({
    method: 'post',
    path: `${path}/{id}/${verb}`,
    summary,
    guard: parts.admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: body as z.ZodType<z.output<B>>,
    answers: {
      200: { description: 'It is over, or an operator has to decide', schema: upgradeSchema },
      202: { description: 'It goes on; `Location` leads to it', schema: upgradeSchema },
      303: { description: 'For a browser: back to its page' },
    },
    handle: async (c, { params, body: sent }) => {
      order(params.id, sent as z.output<B>, c)
      return await answer(parts, c, params.id)
    },
  })
}

/** Answers for what goes on: when it is at rest, or the time that the client waits is over. A browser gets to its page. */
async function answer({ db, watch, nudge }: UpgradeRoutes, c: AppContext, id: string) {
  watch.changed()
  nudge()
  if (wantsPage(c)) return c.redirect(`${path}/${id}`, 303)
  const waitMs = preferredWait(c) * 1000
  const isAtRest = () => atRest.includes(requireUpgrade(db, id).state)
  if (waitMs > 0) {
    await watch.until(isAtRest, waitMs)
    c.header('Preference-Applied', `wait=${waitMs / 1000}`)
  }
  c.header('Location', `${path}/${id}`)
  c.header('Cache-Control', 'no-store')
  return c.json(wireUpgrade(db, requireUpgrade(db, id), membersOf(db, id)), isAtRest() ? 200 : 202)
}

/** What an image's name means now. Throws `no-images`, and `invalid` when the engine does not have it, or it is another product's. */
async function imageOf({ work }: FleetUpgrading, asked: string | undefined) {
  if (work.defaultImage === null)
    throw noImages('Instances run as processes here, with the version of this control plane.')
  const image = asked || work.defaultImage
  const imageId = await work.findImage(image)
  const message =
    imageId === null
      ? `must be an image that the engine has; build or pull "${image}" first`
      : await work.imageFault({ image, imageId })
  if (imageId !== null && message === null) return { image, imageId }
  throw invalidFields([{ path: 'image', message: message ?? '' }])
}

function principal(c: AppContext) {
  return c.get('principal') ?? { kind: 'operator' as const, id: '', name: 'the operator' }
}
