import { z } from 'zod'
import type { Clock } from '../../src/clock.ts'
import { wantsFragment, wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { show } from '../../src/http/show.ts'
import { ownerFrame } from '../../views/auth/owner-frame.ts'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import { TrafficElsewhere, TrafficLive, type TrafficView } from '../../views/traffic/traffic-page.tsx'
import type { AuthService } from '../auth/contract.ts'
import { type ProvisionerService, type UsagePeriod, usagePeriods } from '../provisioner/contract.ts'
import type { Site } from '../site/contract.ts'
import { type Counts, percentile, requestsOf } from './counts.ts'
import { trafficElsewhere } from './problems.ts'
import type { Traffic } from './watch.ts'
import { trafficShape, wireTraffic } from './wire.ts'

const request = {
  params: z.object({ subdomain: z.string() }),
  query: z.object({
    period: z.enum(usagePeriods, `must be one of ${usagePeriods.join(', ')}`).default('hour'),
  }),
  answers: { 200: { description: 'The traffic', schema: trafficShape } },
}

/** The live page of an instance's traffic, for operators and for its owner, and the same for scripts. */
export function trafficRoutes(parts: {
  site: Site
  auth: AuthService
  provisioner: ProvisionerService
  clock: Clock
  read(instanceId: string, period: UsagePeriod): Traffic
}): Route[] {
  const { site, auth, provisioner, clock, read } = parts

  const answer = (
    c: AppContext,
    instance: { id: string; subdomain: string },
    period: UsagePeriod,
    at: { base: string; frame: ReturnType<typeof operatorFrame> },
  ) => {
    const { subdomain } = instance
    const forPeople = wantsPage(c) || wantsFragment(c)
    if (site.routerMode === 'labels') {
      if (!forPeople)
        throw trafficElsewhere('Another proxy routes requests on this site. Its figures say more.')
      return show(c, <TrafficElsewhere subdomain={subdomain} base={`${at.base}/${subdomain}`} />, at.frame)
    }
    const traffic = read(instance.id, period)
    if (!forPeople) return c.json(wireTraffic(traffic, period))
    const page = (
      <TrafficLive
        {...{ subdomain, period }}
        base={`${at.base}/${subdomain}`}
        traffic={viewOf(traffic)}
        now={clock.now()}
      />
    )
    return show(c, page, { ...at.frame, refresh: 10 })
  }

  return [
    route({
      ...request,
      method: 'get',
      path: '/admin/instances/{subdomain}/traffic',
      summary: 'Requests, response times and bytes of an instance, live and over time',
      guard: auth.admin,
      role: 'read',
      handle: (c, { params: { subdomain }, query: { period } }) =>
        answer(c, provisioner.instance(subdomain), period, {
          base: '/admin/instances',
          frame: operatorFrame(`Traffic of ${subdomain}`, '/admin/instances'),
        }),
    }),
    route({
      ...request,
      method: 'get',
      path: '/instances/{subdomain}/traffic',
      summary: 'Requests, response times and bytes of one of your instances, live and over time',
      guard: auth.account,
      handle: (c, { params: { subdomain }, query: { period } }) =>
        answer(c, provisioner.owned(auth.accountOf(c)).find(subdomain), period, {
          base: '/instances',
          frame: ownerFrame('/instances', `Traffic of ${subdomain}`),
        }),
    }),
  ]
}

function viewOf({ now, from, to, stretchMs, points }: Traffic): TrafficView {
  const figuresOf = (counts: Counts) => ({
    requests: requestsOf(counts),
    answers: counts.answers,
    broken: counts.broken,
    refused: counts.refused,
    bytesIn: counts.bytesIn,
    bytesOut: counts.bytesOut,
    p50Ms: percentile(counts, 0.5),
    p99Ms: percentile(counts, 0.99),
  })
  return {
    ...{ from, to, stretchMs },
    now: { ...figuresOf(now), seconds: now.seconds, inProgress: now.inProgress },
    points: points.map(point => ({ at: point.at, ...figuresOf(point) })),
  }
}
