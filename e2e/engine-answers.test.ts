import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import Docker from 'dockerode'
import { randomText } from '../src/ids.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { noRestic } from '../src/testing/restic.ts'
import { anotherImage } from './another-image.fixture.ts'
import { drivers, type InstanceJson, startLonghouse } from './longhouse.fixture.ts'

const skip = noRestic || (drivers.find(({ driver }) => driver === 'docker')?.skip ?? false)

type AnsweredJson = InstanceJson & { operation: { error: string | null } | null }

/** How the engine answers what changes something: the change is made, and its answer is lost, half, late or something else. */
const faults = ['nothing', 'half', 'another type', 'a page', 'late'] as const
type Fault = (typeof faults)[number]

test('an engine whose answers are lost, half, late or wrong: operations end in words, and nothing is deleted or doubled', {
  skip,
  timeout: 600_000,
}, async t => {
  const proxy = await engineProxy(temporaryFolder(t))
  const docker = new Docker()
  const name = `answers-${randomText(6)}`
  const dataRoot = temporaryFolder(t)
  const longhouse = await startLonghouse(t, {
    ...{ driver: 'docker', dataRoot },
    env: { DOCKER_HOST: `unix://${proxy.socketPath}` },
  })
  // After its instances were removed through it.
  t.after(proxy.close)
  const { id, password } = await longhouse.provision(name)
  const precious = join(dataRoot, name, 'precious')
  writeFileSync(precious, 'x')
  const look = async () => (await longhouse.admin(`/admin/instances/${name}`)).json<AnsweredJson>()
  const image = await anotherImage(t, docker)
  const path = `/admin/instances/${name}`
  const asked = [
    ['POST', `${path}/restart`, {}, 'running'],
    ['POST', `${path}/upgrade`, { image }, 'running'],
    ['POST', `${path}/rollback`, {}, 'running'],
    ['POST', `${path}/stop`, {}, 'stopped'],
    ['POST', `${path}/start`, {}, 'running'],
    ['DELETE', path, undefined, 'deleted'],
    ['POST', `${path}/restore`, {}, 'running'],
  ] as const
  for (const [index, [method, target, body, becomes]] of asked.entries()) {
    const fault = faults[index % faults.length] ?? 'half'
    if (target.endsWith('/rollback')) {
      // The upgrade before it may have failed, and there would be nothing to roll back.
      await longhouse.admin(`${path}/upgrade`, { method: 'POST', body: { image }, wait: 60 })
      const { operation } = await look()
      assert.equal(operation?.kind, 'upgrade')
      assert.equal(operation.status, 'succeeded', JSON.stringify(operation))
    }
    proxy.answer(fault)
    await longhouse.admin(target, { method, ...(body && { body }), wait: 5 })
    proxy.answer(null)
    await eventually(`${method} ${target}, ${fault}: it is over`, async () => {
      const { operation, status } = await look()
      return operation?.status !== 'running' && operation?.status !== 'pending' && status === becomes
    })
    const { operation } = await look()
    if (target.endsWith('/rollback')) assert.equal(operation?.kind, 'rollback')
    t.diagnostic(`${method} ${target.replace(path, '')}, ${fault}: ${operation?.kind} ${operation?.status}`)
    assert.ok(existsSync(precious), `${target}, ${fault}`)
    const filters = { label: [`longhouse.instance=${id}`] }
    const containers = await docker.listContainers({ all: true, filters })
    // A successor that was made for nothing stays beside it, and the next operation takes or replaces it.
    const states = containers.map(({ State }) => State).filter(state => state !== 'created')
    const expected = { running: ['running'], stopped: ['exited'], deleted: [] }[becomes]
    assert.deepEqual(states, expected, `${target}, ${fault}`)
    if (operation?.status === 'failed') assert.ok(operation.error, `${target}, ${fault}`)
  }
  assert.ok(proxy.spoiled() >= asked.length, `${proxy.spoiled()} answers`)
  await longhouse.admin(`${path}/restart`, { method: 'POST', body: {}, wait: 60 })
  const all = await docker.listContainers({ all: true, filters: { label: [`longhouse.instance=${id}`] } })
  assert.deepEqual(
    all.map(({ State }) => State),
    ['running'],
  )
  await longhouse.login(name, password)
})

test('copies, restores, changes of owner and purges end in words under the same faults, and lose nothing', {
  skip,
  timeout: 600_000,
  concurrency: true,
}, async t => {
  // The others end a connection, or an answer, as one of these does. Each waits for a minute or two, so they do that side by side.
  await Promise.all((['nothing', 'a page'] as const).map(fault => t.test(fault, t => copiesUnder(t, fault))))
})

/** What failed is tried again after half a minute, then after a whole one, and so on. */
const patiently = { withinMs: 240_000 }

async function copiesUnder(t: TestContext, fault: Fault): Promise<void> {
  const proxy = await engineProxy(temporaryFolder(t))
  const docker = new Docker()
  const dataRoot = temporaryFolder(t)
  const longhouse = await startLonghouse(t, {
    ...{ driver: 'docker', dataRoot },
    env: { DOCKER_HOST: `unix://${proxy.socketPath}`, BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' },
  })
  t.after(proxy.close)
  const post = (path: string, body: object, wait = 60) =>
    longhouse.admin(`/admin/instances/${path}`, { method: 'POST', body, wait })
  const name = `${fault.replaceAll(' ', '-')}-${randomText(6)}`.toLowerCase()
  const { id } = await longhouse.provision(name)
  const file = (of: string) => join(dataRoot, name, of)
  writeFileSync(file('precious'), 'x')
  const look = async () => (await longhouse.admin(`/admin/instances/${name}`)).json<AnsweredJson>()
  const over = async (what: string) => {
    proxy.answer(null)
    return await eventually(
      `${what}, ${fault}: it is over`,
      async () => {
        const now = await look()
        return now.operation?.status !== 'running' && now.operation?.status !== 'pending' && now
      },
      patiently,
    )
  }

  proxy.answer(fault)
  const copied = await post(`${name}/backup`, {})
  proxy.answer(null)
  assert.ok(copied.status === 201 || copied.status >= 400, `${fault}: ${copied.status} ${copied.text}`)
  const backup = copied.status === 201 ? copied : await post(`${name}/backup`, {})
  assert.equal(backup.status, 201, backup.text)
  writeFileSync(file('later'), 'x')

  proxy.answer(fault)
  await post(`${name}/restore`, { backup: backup.json<{ id: string }>().id }, 5)
  const restored = await over('restore')
  assert.ok(existsSync(file('precious')), fault)
  // Either all of it was done, or nothing.
  const isDone = restored.operation?.status === 'succeeded'
  assert.equal(existsSync(file('later')), !isDone, `${fault}: ${restored.operation?.error}`)
  if (!isDone) assert.ok(restored.operation?.error, fault)

  proxy.answer(fault)
  await post(`${name}/transfer`, { owner_email: 'grace@example.com' }, 5)
  await over('transfer')
  await eventually(
    `transfer, ${fault}: it runs again`,
    async () => (await look()).status === 'running',
    patiently,
  )
  assert.ok(existsSync(file('precious')), fault)
  const filters = { label: [`longhouse.instance=${id}`] }
  const running = async () =>
    (await docker.listContainers({ all: true, filters })).filter(({ State }) => State !== 'created')
  assert.equal((await running()).length, 1, fault)

  proxy.answer(fault)
  await longhouse.admin(`/admin/instances/${name}?purge=true`, { method: 'DELETE', wait: 5 })
  proxy.answer(null)
  await eventually(
    `purge, ${fault}: it is gone`,
    async () => {
      if ((await longhouse.admin(`/admin/instances/${name}`)).status !== 404) return false
      return !existsSync(join(dataRoot, name)) && (await running()).length === 0
    },
    patiently,
  )
}

/** A socket before the engine that spoils its answers to what changes something. */
async function engineProxy(folder: string) {
  const socketPath = join(folder, 'docker.sock')
  const real = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
  let fault: Fault | null = null
  let spoiled = 0
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming
    const sent = request({ socketPath: real, method, path, headers }, async answer => {
      const now = method === 'GET' ? null : fault
      if (now === null) {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(outgoing)
        return
      }
      spoiled++
      const bytes = Buffer.concat(await answer.toArray())
      const status = answer.statusCode ?? 500
      if (now === 'nothing') outgoing.destroy()
      else if (now === 'half') {
        outgoing.writeHead(status === 204 ? 200 : status, { 'Content-Length': bytes.length + 100 })
        outgoing.write(bytes.subarray(0, bytes.length / 2), () => outgoing.destroy())
        outgoing.flushHeaders()
      } else if (now === 'another type')
        outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end('{"Id":7,"State":[]}')
      else if (now === 'a page') outgoing.writeHead(502, { 'Content-Type': 'text/html' }).end('<html>')
      else setTimeout(() => outgoing.writeHead(status, answer.headers).end(bytes), 1500)
    })
    sent.on('error', () => outgoing.destroy())
    incoming.pipe(sent)
  })
  // Work on folders attaches to its container: the connection is no longer HTTP then.
  server.on('upgrade', ({ method, url: path, headers }, socket) => {
    socket.on('error', () => {})
    const sent = request({ socketPath: real, method, path, headers })
    sent.on('error', () => socket.destroy())
    sent.on('response', () => socket.destroy())
    sent.on('upgrade', (_, attached) => {
      attached.on('error', () => socket.destroy())
      socket.on('close', () => attached.destroy())
      if (fault !== null && fault !== 'late') {
        spoiled++
        socket.destroy()
        return
      }
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n')
      socket.pipe(attached)
      attached.pipe(socket)
    })
    sent.end()
  })
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  return {
    socketPath,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
    answer: (next: Fault | null) => {
      fault = next
    },
    spoiled: () => spoiled,
  }
}
