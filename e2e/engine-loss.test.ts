import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../src/testing/eventually.ts'
import {
  carryImage,
  namespaceFolder,
  noOwnEngine,
  type OwnEngine,
  runInNamespaces,
  startOwnEngine,
} from './engine.fixture.ts'
import { type InstanceJson, type Longhouse, startLonghouse } from './longhouse.fixture.ts'

const name =
  'an engine killed with SIGKILL leaves containers stopped; those that should run are started, and no other'
const up = ['always']
const down = ['late', 'stopped', 'stopping']

if (namespaceFolder === null)
  test(name, { skip: noOwnEngine(), timeout: 600_000 }, t => runInNamespaces(t, import.meta.filename))
else {
  const folder = namespaceFolder
  test(name, { timeout: 570_000 }, t => loseTheEngine(t, folder))
}

/** To be called in namespaces of its own. */
async function loseTheEngine(t: TestContext, folder: string): Promise<void> {
  const engine = await startOwnEngine(folder)
  const image = carryImage(engine)
  const dataRoot = join(folder, 'instances')
  mkdirSync(dataRoot)
  const start = () =>
    startLonghouse(t, {
      driver: 'docker',
      dataRoot,
      // At another address, a control plane makes the containers anew.
      env: { DOCKER_HOST: engine.host, CONTROL_PLANE_IMAGE: image, LONGHOUSE_PORT: '8080' },
    })
  const first = await start()
  const passwords = new Map<string, string>()
  for (const each of [...up, ...down]) {
    passwords.set(each, (await first.provision(each)).password)
    writeFileSync(join(dataRoot, each, 'jobs', 'kept.txt'), each)
  }
  await ask(first, 'stopped/stop', 120)
  const before = await containersOn(engine)
  assert.deepEqual(Object.keys(before), [...up, ...down])
  const stoppedAt = await lastStarted(engine, 'stopped')

  // The engine alone dies, and the control plane runs on.
  await ask(first, 'stopping/stop')
  await engine.kill()
  await ask(first, 'late/stop')
  await engine.start()
  await settled(first, engine)
  assert.deepEqual(await containersOn(engine), before)

  // Everything dies at once, and the containers are left stopped.
  await ask(first, 'late/start', 120)
  await engine.cutPower()
  await ask(first, 'late/stop')
  await first.end('SIGKILL')
  await engine.start()
  // Whether it started some by itself depends on its version and on what it had written down.
  for (const each of await runningOn(engine)) await engine.docker.getContainer(`longhouse-${each}`).kill()
  assert.deepEqual(await runningOn(engine), [])
  const second = await start()
  await settled(second, engine)
  assert.deepEqual(await containersOn(engine), before)

  // Nothing started it in between.
  assert.equal(await lastStarted(engine, 'stopped'), stoppedAt)
  for (const each of [...up, ...down])
    assert.equal(readFileSync(join(dataRoot, each, 'jobs', 'kept.txt'), 'utf8'), each)
  await ask(second, 'stopped/start', 120)
  for (const each of [...up, 'stopped']) await second.login(each, passwords.get(each) ?? '')
}

async function ask(longhouse: Longhouse, what: string, wait?: number): Promise<void> {
  const { status, text } = await longhouse.admin(`/admin/instances/${what}`, {
    method: 'POST',
    ...(wait && { wait }),
  })
  assert.ok(status < 300, text)
}

function listOn({ docker }: OwnEngine) {
  return docker.listContainers({ all: true, filters: { label: ['longhouse.instance'] } })
}

/** The ids of the containers that are instances, by name, in order of names. */
async function containersOn(engine: OwnEngine): Promise<Record<string, string>> {
  const all = (await listOn(engine)).map(each => [nameOf(each), each.Id] as const)
  return Object.fromEntries(all.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

async function runningOn(engine: OwnEngine): Promise<string[]> {
  const running = (await listOn(engine)).filter(({ State }) => State === 'running')
  return running.map(nameOf).toSorted()
}

function nameOf({ Names, Id }: { Names: string[]; Id: string }): string {
  return Names[0]?.replace(/^\/longhouse-/, '') ?? Id
}

async function lastStarted({ docker }: OwnEngine, subdomain: string): Promise<string> {
  return (await docker.getContainer(`longhouse-${subdomain}`).inspect()).State.StartedAt
}

/** Until each instance is what it should be, on the engine and in its record, and answers if it should run. */
async function settled(longhouse: Longhouse, engine: OwnEngine): Promise<void> {
  const wanted = JSON.stringify({ running: up, stopped: down, onEngine: up })
  await eventually(
    'each instance is what it should be',
    async () => {
      const { instances } = (await longhouse.admin('/admin/instances')).json<{ instances: InstanceJson[] }>()
      const having = (status: string) =>
        instances.filter(each => each.status === status).map(({ subdomain }) => subdomain)
      const seen = JSON.stringify({
        running: having('running'),
        stopped: having('stopped'),
        onEngine: await runningOn(engine),
      })
      if (seen !== wanted) throw new Error(`${seen}, and not ${wanted}`)
      return true
    },
    { withinMs: 180_000 },
  )
  for (const each of up) assert.equal((await longhouse.instance(each, '/api/health')).status, 200)
}
