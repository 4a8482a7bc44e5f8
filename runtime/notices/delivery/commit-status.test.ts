import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standingClock } from '../../engine.fixture.ts'
import { connect, manyJobs, startSynced } from '../../sync/sync.fixture.ts'
import { startHook, watchOver } from '../notices.fixture.ts'
import { findForge } from './forge.ts'
import { startForge } from './forge-stand-in.fixture.ts'

const minute = 60_000

test('GitHub gets the status of each pushed commit once, and again when it changes', async t => {
  const instance = await startSynced(t)
  const { server, engine } = instance
  const forge = await startForge(t, server)
  await connect(instance, { ...server, url: forge.url })
  const { notices } = await watchOver(t, instance, { clock: standingClock(Date.UTC(2026, 10, 22, 12)) })
  const round = () => notices.commitStatuses.round(engine)
  const statuses = () => forge.calls.filter(({ method }) => method === 'POST')
  const latest = () => {
    const last = statuses().at(-1)
    return [last?.path.split('/').at(-1), last?.body.state, last?.body.description]
  }
  await round()
  await round()
  assert.equal(statuses().length, 1, 'the same is told once')
  assert.deepEqual(latest(), [server.head(), 'success', 'Live: 4 jobs.'])
  const [first] = statuses()
  assert.equal(first?.path, `/api/v3/repos/acme/jobs/statuses/${server.head()}`)
  assert.equal(first?.headers.authorization, `Bearer ${server.token}`)
  assert.deepEqual(
    [first?.body.context, first?.body.target_url],
    ['longhouse/acme', 'https://acme.example.com'],
  )
  assert.ok(forge.calls.every(({ method, headers }) => method === 'POST' || !headers.authorization))

  const broken = server.edit({ 'manifest.ts': `${manyJobs(4)}\nnonsense(` })
  await engine.sync.sync()
  await round()
  const [commit, state, description] = latest()
  assert.deepEqual([commit, state], [broken, 'failure'])
  assert.match(String(description), /^manifest\.ts:\d+: /)
  assert.ok(String(description).length <= 140)

  const held = server.edit({ 'manifest.ts': manyJobs(1) })
  await engine.sync.sync()
  await round()
  assert.deepEqual(latest(), [held, 'pending', 'Would remove 3 of 4 jobs; confirm it on the instance.'])
  await engine.sync.sync({ confirm: held })
  await round()
  assert.deepEqual(latest(), [held, 'success', 'Live: 1 job.'])

  // An edit here that does not load is no fault of that commit.
  const told = statuses().length
  instance.write('manifest.ts', 'nonsense(')
  await engine.reload()
  assert.equal(engine.manifest().status, 'error')
  await round()
  assert.equal(statuses().length, told)
})

test('GitLab gets statuses in its own format; a token without write access is reported and given up', async t => {
  const instance = await startSynced(t)
  const { server, engine } = instance
  const forge = await startForge(t, server)
  forge.kind = 'gitlab'
  forge.status = 403
  await connect(instance, { ...server, url: forge.url })
  const clock = standingClock(Date.UTC(2026, 10, 22, 12))
  const { notices } = await watchOver(t, instance, { clock })
  const round = () => notices.commitStatuses.round(engine)
  const statuses = () => forge.calls.filter(({ method }) => method === 'POST')
  await round()
  clock.at += 600 * minute
  await round()
  assert.equal(statuses().length, 1, 'what may not be written is not tried again')
  assert.match(
    notices.commitStatuses.last()?.error ?? '',
    /may not write commit statuses \(403\).*scope "api"/,
  )

  forge.status = 503
  const broken = server.edit({ 'manifest.ts': 'nonsense(' })
  await engine.sync.sync()
  await round()
  await round()
  assert.equal(statuses().length, 2)
  clock.at -= 120 * minute
  await round()
  assert.equal(statuses().length, 3, 'a clock that was set back is not waited for')
  forge.status = 201
  clock.at += 10 * minute
  await round()
  const last = statuses().at(-1)
  assert.equal(last?.path, `/api/v4/projects/acme%2Fjobs/statuses/${broken}`)
  assert.deepEqual([last?.body.state, last?.body.name], ['failed', 'longhouse/acme'])
  assert.equal(notices.commitStatuses.last()?.error, null)
})

test('the token is sent only to the API on the remote’s own host', async t => {
  const instance = await startSynced(t)
  const { server, engine } = instance
  const forge = await startForge(t, server)
  const elsewhere = await startHook(t)
  await connect(instance, { ...server, url: forge.url })
  const { notices } = await watchOver(t, instance, { clock: standingClock(0) })
  forge.status = 307
  forge.answerHeaders = { Location: elsewhere.url }
  await notices.commitStatuses.round(engine)
  assert.equal(forge.calls.filter(({ method }) => method === 'POST').length, 1)
  assert.equal(elsewhere.calls.length, 0)
  assert.match(notices.commitStatuses.last()?.error ?? '', /answered 307/)

  for (const [url, expected] of [
    [
      'https://github.com/acme/jobs.git',
      { kind: 'github', api: 'https://api.github.com', path: 'acme/jobs' },
    ],
    ['https://github.com/acme/jobs/', { kind: 'github', api: 'https://api.github.com', path: 'acme/jobs' }],
    [
      'https://gitlab.com/a/b/jobs.git',
      { kind: 'gitlab', api: 'https://gitlab.com/api/v4', path: 'a/b/jobs' },
    ],
    ['https://acme.ghe.com/a/jobs', { kind: 'github', api: 'https://api.acme.ghe.com', path: 'a/jobs' }],
    ['https://github.com/jobs', null],
  ] as const)
    assert.deepEqual(await findForge(url), expected, url)
  forge.kind = 'other'
  assert.equal(await findForge(forge.url), null)
  assert.equal(await findForge(`${forge.origin}/jobs.git`), null)
})
