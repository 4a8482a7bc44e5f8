import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { alerts } from '../plugins/alerts/index.ts'
import { audit } from '../plugins/audit/index.ts'
import { backup } from '../plugins/backup/index.ts'
import { openShop } from '../plugins/billing/shop.fixture.ts'
import { domains } from '../plugins/domains/index.ts'
import { gate } from '../plugins/gate/index.ts'
import { metrics } from '../plugins/metrics/index.ts'
import { operators } from '../plugins/operators/index.ts'
import { overview } from '../plugins/overview/index.ts'
import type { OwnerBrowser } from '../plugins/owners/owners.fixture.ts'
import { token } from '../plugins/provisioner/fleet.fixture.ts'
import { sdk } from '../plugins/sdk/index.ts'
import { sso } from '../plugins/sso/index.ts'
import { tokens } from '../plugins/tokens/index.ts'
import { traffic } from '../plugins/traffic/index.ts'
import { upgrades } from '../plugins/upgrades/index.ts'
import { usage } from '../plugins/usage/index.ts'
import type { AppEnv } from '../src/http/route.ts'
import { silentLog } from '../src/log.ts'
import { memoryFolder, temporaryFolder } from '../src/testing/folder.ts'
import { allRows } from '../src/testing/rows.ts'
import { controlPlane } from './control-plane.ts'

/** `FUZZ=10000` for the whole of it; a run of all tests has less time. */
const requests = Number(process.env.FUZZ ?? 1500)

/** What has broken servers before, and what looks like something that is there. */
const nasty = [
  '',
  ' ',
  '0',
  '-1',
  '1e308',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  'acme',
  'ACME',
  'navy',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '%2e%2e%2f',
  '%',
  '%00',
  '%E0%A4%A',
  "' or 1=1 --",
  '<script>alert(1)</script>',
  '\u0000',
  '\ud800',
  'é💣ﷺ',
  '//evil.example',
  'https://evil.example/',
  'x'.repeat(5000),
  'a-'.repeat(40),
  'eve@example.com\r\nBcc: all@example.com',
  '9'.repeat(400),
  '2026-13-45T99:99:99Z',
]

/** What only says who was here last, or what was seen. */
const fleeting = {
  tables: /^auth_|audit_|sqlite_|_migrations$|bridge_|alerts_alerts/,
  columns: ['last_health_at', 'retention_seen_at'],
}

function dice(seed: number): (sides: number) => number {
  let state = seed
  return sides => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return Math.floor((state / 0x7fffffff) * sides) % sides
  }
}

test(`${requests} random requests over all routes cause no server error and change nothing`, async t => {
  const root = memoryFolder(t)
  const shop = await openShop(t, {
    root,
    plugins: [
      metrics,
      domains,
      gate,
      alerts,
      audit,
      overview,
      sdk,
      sso,
      backup,
      operators,
      tokens,
      traffic,
      upgrades,
      usage,
    ],
    env: { HEALTH_TIMEOUT: '30s' },
  })
  const ada = await shop.owner('ada')
  await ada.call('POST', '/instances', { subdomain: 'acme' })
  await shop.reaches(ada, 'acme', 'running')
  await shop.run('enforce')
  await shop.emails()
  const eve = await shop.owner('eve')
  const actors: Record<string, string>[] = [
    {},
    { Cookie: cookies(eve) },
    { Cookie: cookies(eve) },
    { Authorization: 'Bearer not-the-token-of-anybody' },
    { Cookie: 'longhouse_session=nonsense; longhouse_account=%00' },
  ]
  /** Anyone may send a GET request, and it changes nothing. */
  const lookers = [{ Authorization: `Bearer ${token}` }, { Cookie: cookies(ada) }]
  const digest = () => allRows(join(root, '.control', 'longhouse.db'), fleeting)
  const before = digest()
  const asked = new Set<string>()
  const statuses = new Map<number, number>()
  const roll = dice(20261122)
  const pick = <T>(from: readonly T[]): T => from[roll(from.length)] as T
  const { routes, app } = shop.program

  const nonsense = (depth = 0): unknown => {
    const kind = roll(depth > 2 ? 4 : 7)
    if (kind < 3) return pick(nasty)
    if (kind === 3) return pick([0, -1, 1e308, 2 ** 53, true, false, null])
    if (kind === 4) return Array.from({ length: roll(4) }, () => nonsense(depth + 1))
    return Object.fromEntries(Array.from({ length: roll(4) }, () => [pick(nasty), nonsense(depth + 1)]))
  }
  const fieldsOf = (schema: unknown): string[] => Object.keys((schema as { shape?: object })?.shape ?? {})

  for (let each = 0; each < requests; each++) {
    // Each of them once, then any of them.
    const first = routes[each]
    const route = first ?? pick(routes)
    const method =
      !first && roll(8) === 0
        ? pick(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])
        : route.method.toUpperCase()
    if (method === route.method.toUpperCase()) asked.add(nameOf(route))
    const path = route.path.replace(/\{[^}]+\}/g, () => encode(pick(nasty)))
    const names = [...fieldsOf(route.query), pick(nasty)]
    const query =
      roll(2) === 0 ? '' : `?${names.map(name => `${encode(name)}=${encode(pick(nasty))}`).join('&')}`
    const body = Object.fromEntries([...fieldsOf(route.body), pick(nasty)].map(name => [name, nonsense()]))
    const bodies = [
      () => JSON.stringify(body),
      () => JSON.stringify(nonsense()) ?? '',
      () => JSON.stringify(body).slice(0, -2),
      () =>
        new URLSearchParams(Object.entries(body).map(([name, value]) => [name, String(value)])).toString(),
      () => pick(nasty),
      () => '{"a":'.repeat(3000),
    ]
    const headers: Record<string, string> = {
      ...pick<Record<string, string>>(
        method === 'GET' || method === 'HEAD' ? [...actors, ...lookers] : actors,
      ),
      ...(roll(2) === 0 ? { Accept: 'text/html' } : {}),
      ...(roll(6) === 0 ? { 'HX-Request': 'true' } : {}),
      ...(roll(4) === 0 ? { Prefer: 'wait=999999999999999999999' } : {}),
      ...(roll(4) === 0 ? { 'Stripe-Signature': 't=1,v1=00' } : {}),
      ...(roll(3) === 0
        ? {
            'Content-Type': pick([
              'application/json',
              'application/x-www-form-urlencoded',
              'multipart/form-data',
              'x/y',
            ]),
          }
        : {}),
    }
    const takesBody = method !== 'GET' && method !== 'HEAD'
    const sent = takesBody ? pick(bodies)() : undefined
    const said = `${method} ${path}${query} ${JSON.stringify(headers)} ${sent?.slice(0, 300)}`
    const url = `http://control.localhost${path}${query}`
    // From many addresses, because too many guesses from one are rate limited.
    const remoteAddress = `192.0.2.${roll(255)}`
    const bindings = { incoming: { socket: { remoteAddress } } } as unknown as AppEnv['Bindings']
    const init = { method, headers, ...(sent === undefined ? {} : { body: sent }) }
    const reply = await app.request(url, init, bindings)
    statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
    assert.ok(reply.status < 500, `${reply.status}: ${said}\n${await reply.clone().text()}`)
    await reply.body?.cancel()
  }
  t.diagnostic(
    [...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, times]) => `${status}: ${times}`)
      .join(', '),
  )
  assert.deepEqual(digest(), before)
  const env = { LONGHOUSE_DATA_ROOT: temporaryFolder(t), LONGHOUSE_PORT: '0', PROVISIONER_DRIVER: 'process' }
  const whole = await controlPlane({ env, log: silentLog })
  await whole.stop()
  assert.deepEqual(
    [...asked].sort(),
    whole.routes.map(nameOf).sort(),
    'every route of every plugin was asked',
  )
  assert.equal((await ada.call('GET', '/instances/acme')).status, 200, 'the door opens for whom it should')
})

const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`

const cookies = (owner: OwnerBrowser) => [...owner.cookies].map(pair => pair.join('=')).join('; ')

function encode(text: string): string {
  try {
    return /%/.test(text) ? text : encodeURIComponent(text)
  } catch {
    return '%F0%9F'
  }
}
