import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { chance } from './chaos/chance.fixture.ts'
import { hungMs, Load } from './chaos/load.fixture.ts'
import { World } from './chaos/world.fixture.ts'

/**
 * Mixed load while clients, instances, workers and the control plane die at random. The short form has a number of requests;
 * `EDGE_CHAOS_MINUTES=10` makes a long one. `EDGE_CHAOS_SEED` is what a failure printed: it gives the same requests and the same
 * disturbances, though not at the same moments.
 */
const seed = Number(process.env.EDGE_CHAOS_SEED ?? Date.now() % 1_000_000)
const minutes = Number(process.env.EDGE_CHAOS_MINUTES ?? 0)
const requests = 900
/** Something dies after so many requests. */
const everyRequests = 50

// Node 26.10 may wait for ever, and busily, for handles of connections that died when a process ends by itself.
process.once('beforeExit', () => process.exit())

test('everything dies at random under mixed load: each request ends with a reason, and nothing is left', {
  timeout: (minutes + 5) * 60_000,
}, async t => {
  t.diagnostic(`EDGE_CHAOS_SEED=${seed}`)
  const world = await World.start(temporaryFolder(t), chance(seed))
  t.after(async () => void (await world.stop()))
  const atFirst = { sockets: world.sockets(), files: Math.max(...world.files()) }
  const load = new Load(world, seed)
  const memory = await disturb(world, load)
  t.diagnostic(JSON.stringify(world.calendar.counts()))
  t.diagnostic(JSON.stringify(load.outcomes()))
  assert.deepEqual(load.faults, [])

  await assertNothingInProgress(world, atFirst.sockets)
  await assertBothSidesCountTheSame(world, load)
  await assertNothingOpen(world, atFirst)
  if (minutes > 0) assertNoGrowth(memory, t)
  assert.deepEqual(await world.stop(), [], 'workers that outlived the edge')
})

interface Memory {
  at: number
  bytes: number
}

/** Disturbs the world during the load. Returns the most memory that any process had at each time. */
async function disturb(world: World, load: Load): Promise<Memory[]> {
  const until = performance.now() + minutes * 60_000
  const over = load.run(begun => (minutes > 0 ? performance.now() < until : begun < requests))
  const memory: Memory[] = []
  for (let number = 0; ; number++) {
    const next = load.ended + everyRequests
    await eventually('requests that end', () => load.ended >= next || load.finished, { withinMs: hungMs * 2 })
    if (load.finished) break
    const by = chance(seed * 104_729 + number)
    if (by.below(4) === 0) for (const each of [...load.going].slice(0, 5)) each.destroy()
    else await world.disturb(by)
    memory.push({
      at: performance.now(),
      bytes: Math.max(...[world.pid, ...world.workers()].map(residentBytes)),
    })
  }
  await over
  return memory
}

async function assertNothingInProgress(world: World, socketsAtFirst: number): Promise<void> {
  await world.calm()
  await eventually('no request in progress', async () => {
    const figures = await world.figures()
    return figures.get('longhouse_edge_requests') === 0 && figures.get('longhouse_edge_held') === 0
  })
  for (const [name, instance] of world.instances)
    await eventually(`no request at ${name}`, () => instance.inProgress() === 0)
  const pooled = () => [...world.instances.values()].reduce((sum, each) => sum + each.connections(), 0)
  await eventually('no sockets but idle ones', () => world.sockets() <= socketsAtFirst + pooled())
}

/** While nothing dies. */
async function assertBothSidesCountTheSame(world: World, load: Load): Promise<void> {
  const before = await world.figures()
  const asked = await load.calm()
  assert.deepEqual(load.faults, [])
  await eventually(
    'no request in progress',
    async () => (await world.figures()).get('longhouse_edge_requests') === 0,
  )
  const after = await world.figures()
  const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  const tunnels = asked.filter(({ kind }) => kind === 'websocket').length
  assert.equal(grown('longhouse_edge_requests_total{status="2xx"}'), asked.length - tunnels)
  assert.equal(grown('longhouse_edge_requests_total{status="1xx"}'), tunnels)
  assert.equal(grown('longhouse_edge_broken_total'), 0)
}

async function assertNothingOpen(world: World, atFirst: { sockets: number; files: number }): Promise<void> {
  await world.closeInstances()
  await eventually('no sockets but those of the beginning', () => world.sockets() === atFirst.sockets)
  const files = world.files()
  assert.ok(Math.max(...files) <= atFirst.files + 4, `${files} files, at first ${atFirst.files}`)
}

/** The most memory of any process, in the second and in the last quarter. */
function assertNoGrowth(memory: readonly Memory[], t: TestContext): void {
  const quarter = Math.floor(memory.length / 4)
  const most = (from: number) => Math.max(...memory.slice(from, from + quarter).map(({ bytes }) => bytes))
  const [second, last] = [most(quarter), most(memory.length - quarter)]
  const inMiB = (bytes: number) => Math.round(bytes / 2 ** 20)
  const grown = `${inMiB(second)} MiB in the second quarter, ${inMiB(last)} MiB in the last`
  t.diagnostic(grown)
  assert.ok(last < second * 1.25 + 32 * 2 ** 20, grown)
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
