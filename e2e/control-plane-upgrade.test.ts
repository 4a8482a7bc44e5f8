import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Database from 'better-sqlite3'
import Docker from 'dockerode'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { drivers, type InstanceJson, startLonghouse } from './longhouse.fixture.ts'
import { nextBuild } from './next-build.fixture.ts'

const hasCaddy = spawnSync('caddy', ['version']).error === undefined
const skip =
  drivers.find(({ driver }) => driver === 'docker')?.skip || (hasCaddy ? false : 'caddy is not installed')
const migration = 'create table audit_of_the_next_version (id integer)'

const tablesOf = (file: string) => {
  const sqlite = new Database(file, { readonly: true })
  const names = sqlite.prepare("select name from sqlite_schema where type = 'table'").pluck().all()
  sqlite.close()
  return names
}

test('a newer control plane takes over the records; the older one refuses them, and goes back to the copy of before', async t => {
  const dataRoot = temporaryFolder(t)
  const driver = 'process'
  const file = join(dataRoot, '.control/longhouse.db')
  const copies = join(dataRoot, '.control/before-upgrade')
  const older = await startLonghouse(t, { driver, dataRoot })
  const { id, password } = await older.provision('acme')
  await older.end('SIGTERM')
  assert.equal(existsSync(copies), false, 'a first start copies nothing')

  const program = nextBuild(t, migration)
  const newer = await startLonghouse(t, { driver, dataRoot, program })
  assert.equal(newer.token, older.token)
  const now = (await newer.admin('/admin/instances/acme')).json<InstanceJson>()
  assert.equal(now.id, id)
  await eventually('it runs', async () => (await newer.login('acme', password)) !== null)
  await newer.provision('later')
  await newer.end('SIGTERM')
  assert.ok(tablesOf(file).includes('audit_of_the_next_version'))
  const listed = () => readdirSync(copies).filter(name => name.endsWith('.db'))
  const [copy = ''] = listed()
  assert.match(copy, /^longhouse-.*\.db$/)
  assert.ok(!tablesOf(join(copies, copy)).includes('audit_of_the_next_version'))
  await (await startLonghouse(t, { driver, dataRoot, program })).end('SIGTERM')
  assert.deepEqual(listed(), [copy], 'a start without migrations makes none')

  const before = readFileSync(file)
  await assert.rejects(startLonghouse(t, { driver, dataRoot }), (error: Error) => {
    assert.match(error.message, /ended with 1/)
    assert.match(error.message, /a newer version of Longhouse wrote .*longhouse\.db.*\(audit: 1\)/)
    assert.ok(error.message.includes(join(copies, copy)), error.message)
    return true
  })
  assert.deepEqual(readFileSync(file), before, 'nothing was changed')

  // As docs/operate/upgrades.md says.
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
  copyFileSync(join(copies, copy), file)
  const again = await startLonghouse(t, { driver, dataRoot })
  assert.equal((await again.admin('/admin/instances/acme')).json<InstanceJson>().id, id)
  await eventually('it runs', async () => (await again.login('acme', password)) !== null)
  assert.equal((await again.admin('/admin/instances/later')).status, 404)
})

test('an upgrade that fails half-way keeps the copy of before, however often it is started', async t => {
  const dataRoot = temporaryFolder(t)
  const copies = join(dataRoot, '.control/before-upgrade')
  await (await startLonghouse(t, { driver: 'process', dataRoot })).end('SIGTERM')
  const broken = nextBuild(t, 'create table audit_of_the_next_version (id integer);\nnonsense')
  for (let starts = 0; starts < 3; starts++)
    await assert.rejects(startLonghouse(t, { driver: 'process', dataRoot, program: broken }), /ended with 1/)
  assert.equal(readdirSync(copies).filter(name => name.endsWith('.db')).length, 1)
  const good = nextBuild(t, migration)
  await (await startLonghouse(t, { driver: 'process', dataRoot, program: good })).end('SIGTERM')
  assert.deepEqual(
    readdirSync(copies).map(name => name.replace(/-.*\.db$/, '.db')),
    ['longhouse.db'],
  )
})

/** A Caddy as in docs/operate/proxy.md, without TLS. Returns its port. */
async function caddyBefore(t: TestContext, port: number): Promise<number> {
  const folder = temporaryFolder(t)
  const own = await freePort()
  writeFileSync(
    join(folder, 'Caddyfile'),
    `{\n\tadmin off\n\tauto_https off\n}\nhttp://:${own} {\n\treverse_proxy 127.0.0.1:${port} {\n\t\tlb_try_duration 30s\n\t}\n}\n`,
  )
  const caddy = spawn('caddy', ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'], {
    env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdio: 'ignore',
  })
  t.after(() => caddy.kill())
  const answers = async () =>
    (await ask({ port: own, host: 'acme.localhost', path: '/api/health' })).status === 200
  await eventually('Caddy passes requests on', answers)
  return own
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

test('while the control plane is upgraded, instances run on, and only the connection is missing for a moment', {
  skip,
  timeout: 300_000,
}, async t => {
  const docker = new Docker()
  const dataRoot = temporaryFolder(t)
  const older = await startLonghouse(t, { driver: 'docker', dataRoot })
  const { id } = await older.provision('acme')
  const startedAt = async () => {
    const filters = { label: [`longhouse.instance=${id}`] }
    const found = await docker.listContainers({ all: true, filters })
    assert.equal(found.length, 1)
    return (await docker.getContainer(found[0]?.Id ?? '').inspect()).State.StartedAt
  }
  const before = await startedAt()
  const caddyPort = await caddyBefore(t, older.port)
  let over = false
  let lastAnswer = performance.now()
  let longestMs = 0
  const seen = new Map<string, number>()
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
  const client = (async () => {
    while (!over) {
      try {
        const { status } = await ask({ port: older.port, host: 'acme.localhost', path: '/api/health' })
        count(String(status))
        if (status === 200) {
          longestMs = Math.max(longestMs, performance.now() - lastAnswer)
          lastAnswer = performance.now()
        }
      } catch (error) {
        count((error as NodeJS.ErrnoException).code ?? String(error))
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
  })()
  const behindCaddy = new Map<string, number>()
  const patientClient = (async () => {
    while (!over) {
      const what = await ask({ port: caddyPort, host: 'acme.localhost', path: '/api/health' }).then(
        ({ status }) => String(status),
        (error: Error) => error.message,
      )
      behindCaddy.set(what, (behindCaddy.get(what) ?? 0) + 1)
    }
  })()
  await eventually('the client is answered', () => seen.get('200'))
  const program = nextBuild(t, migration)
  const stopping = performance.now()
  await older.end('SIGTERM')
  const stopMs = performance.now() - stopping
  const env = { LONGHOUSE_PORT: String(older.port) }
  await startLonghouse(t, { driver: 'docker', dataRoot, program, env })
  const answers = seen.get('200') ?? 0
  await eventually('the client is answered again', () => (seen.get('200') ?? 0) > answers + 10)
  over = true
  await Promise.all([client, patientClient])
  assert.deepEqual([...behindCaddy.keys()], ['200'], 'behind Caddy, every request is answered')
  t.diagnostic(
    `stopped in ${Math.round(stopMs)} ms; longest time without an answer ${Math.round(longestMs)} ms`,
  )
  const wrong = [...seen.keys()].filter(what => !['200', 'ECONNREFUSED', 'ECONNRESET'].includes(what))
  assert.deepEqual(wrong, [], JSON.stringify([...seen]))
  assert.equal(await startedAt(), before, 'the container was not restarted')
})
