import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { after, test } from 'node:test'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { type Chance, chance } from './chaos/chance.fixture.ts'
import { type Door, kinds, tell } from './chaos/clients.fixture.ts'
import { faultOf } from './chaos/judge.fixture.ts'
import type { Story } from './chaos/story.fixture.ts'
import { World } from './chaos/world.fixture.ts'

/**
 * Mixed load while clients, instances, workers and the control plane die at random. The short form has a number of requests;
 * `EDGE_CHAOS_MINUTES=10` makes a long one. `EDGE_CHAOS_SEED` is what a failure printed.
 */
const seed = Number(process.env.EDGE_CHAOS_SEED ?? Date.now() % 1_000_000)
const minutes = Number(process.env.EDGE_CHAOS_MINUTES ?? 0)
const requests = 900
const clients = 24
/** Something dies after so many requests. */
const everyRequests = 50
/** Longer than anything may last: what has not ended by then never does. */
const hungMs = 90_000

const sizes = {
  large: 1 << 20,
  'slow reader': 1 << 19,
  abort: 1 << 18,
  upload: 1 << 18,
  events: 12,
  websocket: 8,
}

function storyOf(number: number, kind: string, by: Chance): Story {
  const subdomain =
    kind === 'control' ? 'control' : by.pick(['a', 'a', 'b', 'c', 'steady', 'steady', 'hostile'])
  return {
    number,
    kind,
    subdomain,
    nonce: `n${number}x`,
    size: sizes[kind as keyof typeof sizes] ?? by.below(4096),
    delayMs: by.pick([0, 0, 5, 40]),
    beganAt: 0,
    endedAt: 0,
    digest: '',
    aborted: false,
    destroy: () => undefined,
    end: null,
  }
}

let passed = false
// Some runs leave something open in this process after they have passed: it is named, and does not keep the next benchmark waiting.
after(() => {
  const late = () => {
    console.log('still open in this process:', process.getActiveResourcesInfo())
    process.exit(passed ? 0 : 1)
  }
  setTimeout(late, 3000).unref()
})

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one story from the start to the last look at what is left
test('everything dies at random under mixed load: each request ends with a reason, and nothing is left', {
  timeout: (minutes + 5) * 60_000,
}, async t => {
  t.diagnostic(`EDGE_CHAOS_SEED=${seed}`)
  const deeds = chance(seed)
  const world = await World.start(temporaryFolder(t), deeds)
  let stopped = false
  t.after(() => (stopped ? undefined : world.stop()))
  const atFirst = { sockets: world.sockets(), files: Math.max(...world.files()) }
  const pooled = () => [...world.instances.values()].reduce((sum, each) => sum + each.connections(), 0)

  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const door: Door = { port: world.port, agent }
  const going = new Set<Story>()
  const faults: string[] = []
  const outcomes = new Map<string, number>()
  const until = performance.now() + minutes * 60_000
  let begun = 0
  let ended = 0
  const more = () => faults.length < 10 && (minutes > 0 ? performance.now() < until : begun < requests)

  const judge = (story: Story) => {
    const fault = faultOf(story, world.calendar, world.idsAt(story))
    const { destroy, end, ...plain } = story
    const how = end?.how === 'answer' ? String(end.status) : `${end?.how}`
    const outcome = `${story.kind}: ${story.aborted ? 'aborted' : how}`
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (!fault) return
    faults.push(
      `${fault}\n  seed ${seed}, ${JSON.stringify(plain)}\n  ${JSON.stringify(end)?.slice(0, 600)}\n  disturbed, from its begin: ${world.calendar.near(story).join(', ')}`,
    )
  }
  const one = async () => {
    const number = begun++
    const by = chance(seed * 7919 + number)
    const kind = by.pick(kinds)
    const stories: [Story, Story?] = [storyOf(number, kind, by)]
    if (kind === 'pipelined') stories.push({ ...storyOf(begun++, kind, by), subdomain: stories[0].subdomain })
    const all = stories.filter(each => each !== undefined)
    for (const each of all) {
      each.beganAt = performance.now()
      going.add(each)
    }
    const hung = Promise.withResolvers<void>()
    const timer = setTimeout(hung.resolve, hungMs)
    try {
      await Promise.race([tell(door, kind, stories, by), hung.promise])
    } catch (error) {
      faults.push(`${(error as Error).message}, seed ${seed}, request ${number}, ${kind}`)
    }
    clearTimeout(timer)
    for (const each of all) {
      each.endedAt = performance.now()
      going.delete(each)
      ended++
      judge(each)
    }
  }
  const client = async () => {
    while (more()) await one()
  }
  const memory: { at: number; bytes: number }[] = []
  const running = Array.from({ length: clients }, client)
  const over = Promise.all(running).then(() => true)
  let finished = false
  void over.then(() => {
    finished = true
  })
  while (more()) {
    const next = ended + everyRequests
    await eventually('requests that end', () => ended >= next || finished, { withinMs: hungMs * 2 })
    if (finished) break
    if (deeds.below(4) === 0) for (const each of [...going].slice(0, 5)) each.destroy()
    else await world.disturb()
    memory.push({
      at: performance.now(),
      bytes: Math.max(...[world.pid, ...world.workers()].map(residentBytes)),
    })
  }
  await over
  agent.destroy()
  t.diagnostic(JSON.stringify(world.calendar.counts()))
  t.diagnostic(JSON.stringify(Object.fromEntries([...outcomes].sort())))
  assert.deepEqual(faults, [])

  await world.calm()
  await eventually('no request in progress', async () => {
    const figures = await world.figures()
    return figures.get('longhouse_edge_requests') === 0 && figures.get('longhouse_edge_held') === 0
  })
  for (const [name, instance] of world.instances)
    await eventually(`no request at ${name}`, () => instance.inProgress() === 0)
  await eventually('no sockets but idle ones', () => world.sockets() <= atFirst.sockets + pooled())

  // While nothing dies, both sides count the same.
  const before = await world.figures()
  const calmKinds = kinds.filter(kind => kind !== 'abort' && kind !== 'control')
  const calm = Array.from({ length: 60 }, (_, i) => {
    const by = chance(seed + i)
    const kind = calmKinds[i % calmKinds.length] as (typeof calmKinds)[number]
    const stories = [storyOf(begun++, kind, by), storyOf(begun++, kind, by)].map(each => ({
      ...each,
      subdomain: by.pick(['steady', 'a', 'b', 'c']),
      beganAt: performance.now(),
    })) as [Story, Story]
    stories[1].subdomain = stories[0].subdomain
    return { kind, stories, by }
  })
  const calmAgent = new Agent({ keepAlive: true })
  await Promise.all(
    calm.map(({ kind, stories, by }) => tell({ ...door, agent: calmAgent }, kind, stories, by)),
  )
  calmAgent.destroy()
  const asked = calm.flatMap(({ kind, stories }) => (kind === 'pipelined' ? stories : stories.slice(0, 1)))
  for (const each of asked) {
    each.endedAt = performance.now()
    assert.equal(faultOf(each, world.calendar, world.idsAt(each)), null, JSON.stringify(each))
  }
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

  await world.closeInstances()
  await eventually('no sockets but those of the beginning', () => world.sockets() === atFirst.sockets)
  assert.ok(
    Math.max(...world.files()) <= atFirst.files + 4,
    `${world.files()} files, at first ${atFirst.files}`,
  )
  if (minutes > 0) assertNoGrowth(memory)
  await world.stop()
  stopped = true
  passed = true
})

/** The most memory of any process, in the second and in the last quarter. */
function assertNoGrowth(memory: readonly { at: number; bytes: number }[]): void {
  const quarter = Math.floor(memory.length / 4)
  const most = (from: number) => Math.max(...memory.slice(from, from + quarter).map(({ bytes }) => bytes))
  const [second, last] = [most(quarter), most(memory.length - quarter)]
  const inMiB = (bytes: number) => Math.round(bytes / 2 ** 20)
  assert.ok(last < second * 1.25 + 32 * 2 ** 20, `${inMiB(second)} MiB, in the end ${inMiB(last)} MiB`)
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
