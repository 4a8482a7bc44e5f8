import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type CountedSql, countSql } from '../../../src/testing/counted-sql.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { DriverError } from '../driver.ts'
import { type TestFleet, testFleet, token } from '../fleet.fixture.ts'
import type { WireInstance } from '../pages/wire.ts'
import { addInstances, openOperations } from './many-instances.fixture.ts'

// The work is counted and not timed: what grows with the number of instances would be ten times as much for the many.
const few = 500
const many = 5000
/** How many may be started at once. */
const atWork = 16
/** The most that one round changes, with however many instances. */
const inRound = 256

interface Grown {
  fleet: TestFleet
  names: string[]
  boot: CountedSql
  during(work: () => Promise<unknown>): Promise<CountedSql>
  stop(): Promise<void>
}

/** A control plane that starts and finds instances that ran; no program of theirs gets further than its volume. */
async function grown(t: TestContext, howMany: number): Promise<Grown> {
  const root = memoryFolder(t)
  const env = { HEALTH_INTERVAL: '1h' }
  const empty = await testFleet(t, { root, env })
  await empty.program.stop()
  const names = addInstances(root, howMany)
  const { during } = countSql(t)
  let waiting = 0
  const held = Promise.withResolvers<void>()
  t.after(() => held.resolve())
  // All looks of the first round end at the same moment: otherwise the machine decides how many of them share a commit.
  let looking = 0
  const looked = Promise.withResolvers<void>()
  t.after(() => looked.resolve())
  let started: TestFleet | undefined
  const over = Promise.withResolvers<void>()
  const booting = during(async () => {
    started = await testFleet(t, {
      root,
      env: { ...env, PROVISIONER_CONCURRENCY: String(atWork) },
      look: real => async path => {
        const sight = await real(path)
        if (++looking === inRound) looked.resolve()
        await looked.promise
        return sight
      },
      driver: real => ({
        ...real,
        prepareVolume: async spec => {
          waiting++
          await held.promise
          // To be tried again in a while, for which the end of the program does not wait.
          throw new DriverError(`${spec.volume} is not started in this test`, {
            permanent: false,
            transient: true,
          })
        },
      }),
    })
    await over.promise
  })
  // Asked from outside of what is counted. Workers get that far before or after the round has written its last changes.
  await eventually(
    'the first round is over, and as many as may are being started',
    () => waiting === atWork && openOperations(root) === inRound,
  )
  over.resolve()
  const boot = await booting
  t.diagnostic(`${howMany}: ${JSON.stringify(boot)}`)
  if (!started) throw new Error('it did not start')
  const { program } = started
  const stop = () => {
    held.resolve()
    return program.stop()
  }
  return { fleet: started, names, boot, during, stop }
}

test('5,000 instances of the process driver: a boot writes no more often than with 500, and reads no record on its own', async t => {
  const one = await grown(t, few)
  await one.stop()
  const other = await grown(t, many)
  const more = (what: keyof CountedSql) => other.boot[what] - one.boot[what]
  // One round changes at most so many, in the same transactions; a commit for each would be hundreds.
  assert.ok(more('commits') < 50, `${more('commits')} commits more`)
  assert.ok(more('statements') < (many - few) / 10, `${more('statements')} statements more`)
  assert.ok(more('rows') < 8 * (many - few), `${more('rows')} rows more`)
  await other.stop()
})

test('5,000 instances: the list reads the window that it shows, as a page and as JSON', async t => {
  const { fleet, names, during, stop } = await grown(t, many)
  const asked: Record<string, CountedSql> = {}
  for (const [what, path, headers] of [
    ['page', '/admin/instances', { Accept: 'text/html' }],
    ['a page further on', '/admin/instances?offset=4900', { Accept: 'text/html' }],
    ['page of a search', '/admin/instances?search=box-0', { Accept: 'text/html' }],
    ['page by disk', '/admin/instances?sort=-disk', { Accept: 'text/html' }],
    [
      'page of a filter',
      '/admin/instances?status=provisioning&plan=none&sort=owner',
      { Accept: 'text/html' },
    ],
    ['JSON', '/admin/instances?limit=100', {}],
    ['JSON further on', '/admin/instances?limit=100&offset=4900', {}],
  ] as const)
    asked[what] = await during(async () => {
      const credentials = { Authorization: `Bearer ${token}`, Host: 'control.localhost' }
      const answer = await fleet.program.app.request(path, { headers: { ...credentials, ...headers } })
      assert.equal(answer.status, 200)
      await answer.text()
    })
  t.diagnostic(JSON.stringify(asked))
  for (const [what, { rows, statements }] of Object.entries(asked)) {
    // A hundred instances, their operations with all steps, and the counts.
    assert.ok(rows <= 1200, `${what}: ${rows} rows`)
    // Fewer than one for each instance that it shows.
    assert.ok(statements < 100, `${what}: ${statements} statements`)
  }
  const { body } = await fleet.admin<{ instances: WireInstance[]; total: number }>(
    'GET',
    '/admin/instances?limit=100&offset=4900',
  )
  assert.deepEqual(
    body.instances.map(({ subdomain }) => subdomain),
    names.slice(4900),
  )
  assert.equal(body.total, many)
  await stop()
})
