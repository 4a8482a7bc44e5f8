import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { countSql } from '../../src/testing/counted-sql.ts'
import { testFleet, token } from '../provisioner/fleet.fixture.ts'
import { upgrades } from './index.ts'
import { standing, upgradableFleet } from './upgrades.fixture.ts'
import type { WireSummary } from './wire.ts'

test('bad orders are refused by the name of the field, and nothing is started', async t => {
  const { fleet, post, provisionAll } = await upgradableFleet(t, {
    findImage: image => (image.includes('missing') ? null : `sha256:${image}`),
    change: () => ({ isRuntime: async id => id !== 'sha256:other-product:1' }),
  })
  await provisionAll('amber')
  const fault = async (body: object) => {
    const answer = await post('', body)
    assert.equal(answer.status, 422, JSON.stringify(answer.body))
    return answer.body.errors?.map(({ path, message }) => `${path}: ${message}`).join()
  }
  assert.match((await fault({ image: 'missing:1' })) ?? '', /^image: .*build or pull "missing:1" first/)
  assert.match((await fault({ image: 'other-product:1' })) ?? '', /^image: .*Longhouse’s runtime.* is not$/)
  assert.match((await fault({ image: 'not an image' })) ?? '', /^image: must be an image reference/)
  assert.match((await fault({ image: 'runtime:2', parallel: 0 })) ?? '', /^parallel: must be a whole number/)
  assert.match((await fault({ image: 'runtime:2', halt_after: 'x' })) ?? '', /^halt_after: must be a whole/)
  assert.match((await fault({ image: 'runtime:2', soak: '3 weeks' })) ?? '', /^soak: must be a duration/)
  assert.match((await fault({ image: 'runtime:2', first: ['nope'] })) ?? '', /^first\.0: .*"nope"/)
  assert.match((await fault({ image: 'runtime:2', waves: 3 })) ?? '', /waves/)
  const none = await post('', { image: 'longhouse-runtime:latest' })
  assert.equal(none.status, 409)
  assert.match(none.body.detail ?? '', /Every instance has the image/)
  const { body } = await fleet.admin<{ upgrades: unknown[] }>('GET', '/admin/upgrades')
  assert.deepEqual(body.upgrades, [])
  for (const verb of ['pause', 'resume', 'cancel', 'undo'])
    assert.equal((await post(`/fup_none/${verb}`)).status, 404)
  assert.equal((await fleet.admin('GET', '/admin/upgrades/fup_none')).status, 404)
})

test('the preview says who is in which wave and about how long it takes, and starts nothing', async t => {
  const { fleet, provisionAll } = await upgradableFleet(t)
  await provisionAll('amber', 'beryl', 'coral')
  const path = '/admin/upgrades/preview?image=runtime:2&first=coral&soak=1m&parallel=2'
  const { status, body } = await fleet.admin<{
    total: number
    about_ms: number
    measured: boolean
    waves: { instances: { subdomain: string; left_out: string | null }[] }[]
  }>('GET', path)
  assert.equal(status, 200)
  assert.deepEqual(
    body.waves.map(({ instances }) => instances.map(({ subdomain }) => subdomain)),
    [['coral'], ['amber'], ['beryl']],
  )
  assert.equal(body.total, 3)
  assert.ok(body.about_ms > 120_000 && !body.measured)
  const page = await fleet.admin<string>('GET', path, { headers: { Accept: 'text/html' } })
  assert.match(page.body, /Start the fleet upgrade/)
  assert.match(page.body, /name="first" value="coral"/)
  const list = await fleet.admin<{ upgrades: unknown[] }>('GET', '/admin/upgrades')
  assert.deepEqual(list.body.upgrades, [])
})

test('instances that run as processes have no image of their own, and it says so', async t => {
  const fleet = await testFleet(t, { plugins: [upgrades] })
  const answer = await fleet.admin<{ detail: string }>('POST', '/admin/upgrades', { body: {} })
  assert.equal(answer.status, 409)
  assert.match(answer.body.detail, /run as processes/)
  const page = await fleet.admin<string>('GET', '/admin/upgrades', { headers: { Accept: 'text/html' } })
  assert.match(page.body, /There are no images here/)
})

test('strangers are refused', async t => {
  const { fleet } = await upgradableFleet(t)
  const headers = { Authorization: 'Bearer wrong-token-of-a-stranger' }
  for (const [method, path] of [
    ['GET', '/admin/upgrades'],
    ['GET', '/admin/upgrades/preview'],
    ['POST', '/admin/upgrades'],
    ['POST', '/admin/upgrades/fup_x/undo'],
  ] as const)
    assert.equal((await fleet.admin(method, path, { headers })).status, 401, `${method} ${path}`)
})

test('a browser starts it, follows it without JavaScript, and finds the buttons that fit its state', async t => {
  const gate = Promise.withResolvers<void>()
  const { fleet, provisionAll, reaches } = await upgradableFleet(t, {
    start: async ({ image }) => {
      if (image === 'runtime:2') await gate.promise
    },
  })
  await provisionAll('amber', 'beryl')
  const html = { Accept: 'text/html' }
  const started = await fleet.admin('POST', '/admin/upgrades', {
    headers: html,
    body: { image: 'runtime:2', first: '', parallel: '1', halt_after: '1', soak: '0s' },
  })
  assert.equal(started.status, 303)
  const path = started.headers.get('location') ?? ''
  const id = path.slice('/admin/upgrades/'.length)
  await reaches(id, 'amber is being upgraded', ({ instances }) => instances[0]?.status === 'upgrading')
  const page = async () => (await fleet.admin<string>('GET', path, { headers: html })).body
  const running = await page()
  assert.match(running, /hx-trigger="every 2s"/)
  assert.match(running, new RegExp(`action="${path}/pause"`))
  assert.match(running, new RegExp(`action="${path}/cancel"`))
  assert.doesNotMatch(running, /\/resume"|\/undo"/)
  await fleet.admin('POST', `${path}/pause`, { headers: html })
  assert.match(await page(), new RegExp(`action="${path}/resume"`))
  gate.resolve()
  await fleet.admin('POST', `${path}/resume`, { headers: html })
  await reaches(id, 'it is over', ({ state }) => state === 'done')
  const done = await page()
  assert.match(done, new RegExp(`action="${path}/undo"`))
  assert.doesNotMatch(done, /hx-trigger|\/pause"|\/cancel"/)
  const list = (await fleet.admin<string>('GET', '/admin/upgrades', { headers: html })).body
  assert.match(list, /2 upgraded/)
})

test('events tell each change until it is over', async t => {
  const { fleet, start, provisionAll, get } = await upgradableFleet(t)
  await provisionAll('amber', 'beryl')
  const { body } = await start()
  const events = await new Promise<WireSummary[]>((resolve, reject) => {
    const headers = {
      Host: `control.localhost:${fleet.port}`,
      Authorization: `Bearer ${token}`,
      Accept: 'text/event-stream',
    }
    request(
      { host: '127.0.0.1', port: fleet.port, path: `/admin/upgrades/${body.id}`, headers },
      response => {
        assert.match(response.headers['content-type'] ?? '', /^text\/event-stream/)
        let text = ''
        response.setEncoding('utf8').on('data', chunk => {
          text += chunk
        })
        response.on('end', () =>
          resolve([...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json ?? ''))),
        )
      },
    )
      .on('error', reject)
      .end()
  })
  assert.ok(events.length > 1)
  assert.equal(events.at(-1)?.state, 'done')
  assert.deepEqual(
    events.at(-1)?.waves.map(({ by_status }) => by_status.upgraded),
    [1, 1],
  )
  assert.deepEqual(standing(await get(body.id)), ['amber upgraded', 'beryl upgraded'])
})

test('the list takes as many statements for many fleet upgrades as for one', async t => {
  const { fleet, provisionAll, post, reaches } = await upgradableFleet(t)
  const { naming } = countSql(t)
  const upgrade = async (image: string) => {
    const { body } = await post('', { image, soak: '0s' })
    await reaches(body.id, `${image} is everywhere`, ({ state }) => state === 'done')
  }
  const list = (accept: string) =>
    naming('upgrades_members', () => fleet.admin('GET', '/admin/upgrades', { headers: { Accept: accept } }))
  const both = async () => [await list('application/json'), await list('text/html')]
  await provisionAll('amber')
  await upgrade('runtime:2')
  const few = await both()
  assert.ok(few.every(statements => statements > 0))
  for (const image of ['runtime:3', 'runtime:4', 'runtime:5']) await upgrade(image)
  assert.deepEqual(await both(), few)
  const { body } = await fleet.admin<{ upgrades: WireSummary[] }>('GET', '/admin/upgrades')
  assert.deepEqual(
    body.upgrades.map(({ image, waves }) => [image, waves.map(({ total }) => total)]),
    ['runtime:5', 'runtime:4', 'runtime:3', 'runtime:2'].map(image => [image, [1]]),
  )
})
