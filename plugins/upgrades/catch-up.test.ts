import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import { eventually } from '../../src/testing/eventually.ts'
import { backupFleet, type OwnerSession } from '../backup/backup.fixture.ts'
import { DriverError } from '../provisioner/driver.ts'
import { withImages } from '../provisioner/images.fixture.ts'

const hour = 3_600_000
const jobs = ['none', 'latest', 'all'] as const

interface Run {
  id: string
  slot: string | null
  status: string
}

/**
 * A real runtime with a job for each value of `catchUp`, each due once an hour, half an hour ago the last time. `away` makes three
 * hours pass for its schedules when it stops next, as if its upgrade took so long.
 */
async function startFleet(t: TestContext, startsNew: () => boolean) {
  let isAway = false
  const fleet = await backupFleet(t, {
    driver: real => ({
      ...withImages(real, {
        start: ({ image }) => {
          if (image === 'runtime:2' && !startsNew())
            throw new DriverError('it is broken', { permanent: true })
        },
      }),
      stop: async (ref, graceMs) => {
        await real.stop(ref, graceMs)
        if (!isAway) return
        isAway = false
        const database = new Database(join(fleet.root, 'acme', 'longhouse.db'))
        database.prepare('update jobs_schedules set since = since - ?').run(3 * hour)
        database.close()
      },
    }),
  })
  const { password = '' } = (await fleet.provision('acme')).body
  const minute = new Date(Date.now() - hour / 2).getUTCMinutes()
  const owner = () => fleet.asOwner('acme', password)
  const first = await owner()
  await first.post('/api/jobs/repo/init')
  const content = `import { jobRegistry } from 'longhouse/jobs'
${jobs.map(id => `jobRegistry.register({ id: '${id}', cron: '${minute} * * * *', timezone: 'UTC', catchUp: '${id}', func: () => {} })`).join('\n')}
jobRegistry.register({ id: 'beat', cron: '* * * * * *', catchUp: 'none', func: () => {} })
`
  const saved = await first.put('/api/jobs/repo/files/manifest.ts', { content })
  assert.equal(saved.status, 200, JSON.stringify(saved.body))
  await beats(first)
  const ask = async (verb: string, body: object = {}) =>
    (await fleet.admin('POST', `/admin/instances/acme/${verb}`, { body, wait: 100 })).body
  return {
    owner,
    ask,
    away: () => {
      isAway = true
    },
  }
}

const runsOf = async (owner: OwnerSession, id: string): Promise<Run[]> =>
  (await owner.get<{ runs: Run[] }>(`/api/jobs/${id}/runs`)).body.runs

/** Waits until the schedules were looked at since: by then whatever is to be caught up is. */
async function beats(owner: OwnerSession): Promise<void> {
  const known = (await runsOf(owner, 'beat'))[0]?.id
  await eventually('a due time has run', async () => {
    const [newest] = await runsOf(owner, 'beat').catch(() => [])
    return newest !== undefined && newest.id !== known
  })
}

/** How many hours ago each job's runs were due, in the order in which they ran. */
async function caughtUp(owner: OwnerSession): Promise<Record<string, number[]>> {
  await beats(owner)
  const found: Record<string, number[]> = {}
  for (const id of jobs) {
    const runs = await runsOf(owner, id)
    found[id] = runs.map(({ slot }) => Math.floor((Date.now() - Date.parse(slot ?? '')) / hour)).reverse()
  }
  return found
}

const each = { none: [], latest: [0], all: [2, 1, 0] }

test('slots that were due during an upgrade follow catchUp, and none runs again after it, nor after going back', async t => {
  const { owner, ask, away } = await startFleet(t, () => true)
  assert.deepEqual(await caughtUp(await owner()), { none: [], latest: [], all: [] })
  away()
  const { operation } = await ask('upgrade', { image: 'runtime:2' })
  assert.deepEqual([operation?.error, operation?.status], [null, 'succeeded'])
  assert.deepEqual(await caughtUp(await owner()), each)
  await ask('restart')
  assert.deepEqual(await caughtUp(await owner()), each)

  // The data of before know of none of these runs, and of each due time that was decided on.
  const back = await ask('rollback')
  assert.deepEqual([back.operation?.error, back.operation?.status], [null, 'succeeded'])
  const now = await owner()
  assert.deepEqual(await caughtUp(now), { none: [], latest: [], all: [] })
  const { slots } = (await now.get<{ slots: { outcome: string }[] }>('/api/jobs/all/slots')).body
  assert.deepEqual(
    slots.map(({ outcome }) => outcome),
    ['late', 'late', 'late'],
  )
})

test('slots that were due during an upgrade that is taken back follow catchUp in the version of before', async t => {
  const { owner, ask, away } = await startFleet(t, () => false)
  away()
  const { operation, status } = await ask('upgrade', { image: 'runtime:2' })
  assert.match(operation?.error ?? '', /it is broken[\s\S]*The previous image and data are back\.$/)
  assert.equal(status, 'running')
  assert.deepEqual(await caughtUp(await owner()), each)
})
