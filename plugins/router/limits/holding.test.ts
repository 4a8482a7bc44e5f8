import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import type { Clock } from '../../../src/clock.ts'
import { type Edge, startEdge } from '../edge.fixture.ts'
import { ask, eventually, route, startInstance, wire } from '../wire.fixture.ts'

/** A clock that stands still until it is moved; says how many timers wait for it. */
function standingClock() {
  const sleepers = new Set<() => void>()
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    sleep: (_, signal) =>
      new Promise(resolve => {
        const wake = () => {
          sleepers.delete(wake)
          resolve()
        }
        sleepers.add(wake)
        signal?.addEventListener('abort', wake, { once: true })
      }),
  }
  return {
    clock,
    waiting: () => sleepers.size,
    elapse: () => {
      for (const wake of [...sleepers]) wake()
    },
  }
}

const browser = { headers: { accept: 'text/html,*/*' } }

async function withEdge(
  env: Record<string, string>,
  use: (edge: Edge, time: ReturnType<typeof standingClock>) => Promise<void>,
): Promise<void> {
  const time = standingClock()
  const edge = await startEdge(env, time.clock)
  edge.router.set('soon', { state: 'starting', instanceId: 'inst_soon' })
  try {
    await use(edge, time)
  } finally {
    await edge.stop()
  }
}

describe('requests for an instance that is starting', () => {
  it('are passed on at once when it is ready, two hundred of them', async () => {
    await withEdge({}, async (edge, time) => {
      const instance = await startInstance('inst_soon', (request, response) => request.pipe(response))
      const asked = Array.from({ length: 200 }, (_, i) =>
        ask(edge, 'soon.localhost', { method: 'POST', body: `body ${i}` }),
      )
      await eventually(() => time.waiting() === 200)
      assert.equal(instance.asked.length, 0)
      route(edge, 'soon', instance)
      const replies = await Promise.all(asked)
      assert.deepEqual(
        replies.map(reply => reply.body),
        replies.map((_, i) => `body ${i}`),
      )
      assert.equal(time.waiting(), 0)
      await instance.close()
    })
  })

  it('get a Retry-After when it takes too long', async () => {
    await withEdge({}, async (edge, time) => {
      const asked = ask(edge, 'soon.localhost')
      await eventually(() => time.waiting() === 1)
      time.elapse()
      const reply = await asked
      assert.equal(reply.status, 503)
      assert.equal(reply.headers['retry-after'], '2')
      assert.equal(JSON.parse(reply.body).type, 'urn:longhouse:problem:instance-starting')
    })
  })

  it('show a browser a page that reloads itself', async () => {
    await withEdge({}, async (edge, time) => {
      const reply = await ask(edge, 'soon.localhost', browser)
      assert.equal(reply.status, 503)
      assert.equal(reply.headers['retry-after'], '2')
      assert.match(reply.body, /<meta http-equiv="refresh" content="2"\/>/)
      assert.match(reply.body, /The instance is starting/)
      assert.equal(time.waiting(), 0)
    })
  })

  it('keep what a browser posts until it can be passed on', async () => {
    await withEdge({}, async (edge, time) => {
      const instance = await startInstance('inst_soon', (request, response) => request.pipe(response))
      const asked = ask(edge, 'soon.localhost', { ...browser, method: 'POST', body: 'a form' })
      await eventually(() => time.waiting() === 1)
      route(edge, 'soon', instance)
      assert.equal((await asked).body, 'a form')
      await instance.close()
    })
  })

  it('keep a body that arrives while the instance restarts elsewhere, and no one else is led to where it was', async () => {
    await withEdge({}, async (edge, time) => {
      const echo = (request: IncomingMessage, response: ServerResponse) => request.pipe(response)
      const before = await startInstance('inst_soon', echo)
      const after = await startInstance('inst_soon', echo)
      const begin = () => wire(edge, 'POST / HTTP/1.1\r\nHost: soon.localhost\r\nContent-Length: 6\r\n\r\na ')
      route(edge, 'soon', before)
      const [first, second, third] = [begin(), begin(), begin()]
      assert.equal((await ask(edge, 'soon.localhost', { method: 'POST', body: 'x' })).body, 'x')
      await before.close()
      edge.router.set('soon', { state: 'starting', instanceId: 'inst_soon' })
      // One that is complete while it starts, one after it has moved, and one while it is stopped.
      first.write('form')
      await eventually(() => time.waiting() === 1)
      route(edge, 'soon', after)
      await first.until(/200 OK[\s\S]*a form/)
      second.write('form')
      await second.until(/200 OK[\s\S]*a form/)
      edge.router.set('soon', { state: 'stopped', instanceId: 'inst_soon' })
      third.write('form')
      await third.until(/503 Service Unavailable[\s\S]*instance-stopped/)
      route(edge, 'soon', after)
      assert.equal((await ask(edge, 'soon.localhost', { method: 'POST', body: 'y' })).body, 'y')
      assert.equal(after.asked.length, 3)
      for (const { socket } of [first, second, third]) socket.destroy()
      await after.close()
    })
  })

  it('never reach another instance that has got its name while their body arrived', async () => {
    await withEdge({}, async edge => {
      const mine = await startInstance('inst_soon')
      const others = await startInstance('inst_other')
      route(edge, 'soon', mine)
      const line = wire(edge, 'POST / HTTP/1.1\r\nHost: soon.localhost\r\nContent-Length: 6\r\n\r\nse')
      assert.equal((await ask(edge, 'soon.localhost')).body, 'inst_soon')
      edge.router.remove('soon')
      route(edge, 'soon', others)
      line.write('cret')
      await line.until(/^HTTP\/1\.1 50\d /)
      assert.equal(others.asked.length, 0)
      assert.equal((await ask(edge, 'soon.localhost')).body, 'inst_other')
      line.socket.destroy()
      await mine.close()
      await others.close()
    })
  })

  it('learn that another instance has their name, and are not sent to it', async () => {
    await withEdge({}, async edge => {
      const [mine, others] = [await startInstance('inst_soon'), await startInstance('inst_other')]
      route(edge, 'soon', mine)
      const sized = wire(edge, 'POST / HTTP/1.1\r\nHost: soon.localhost\r\nContent-Length: 6\r\n\r\nse')
      const chunked = wire(
        edge,
        'POST / HTTP/1.1\r\nHost: soon.localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nse\r\n',
      )
      assert.equal((await ask(edge, 'soon.localhost')).body, 'inst_soon')
      route(edge, 'soon', others)
      sized.write('cret')
      chunked.write('4\r\ncret\r\n0\r\n\r\n')
      for (const line of [sized, chunked]) {
        const [answer] = await line.until(/^HTTP\/1\.1 503 [\s\S]*instance-replaced[\s\S]*\}$/)
        assert.doesNotMatch(answer, /Retry-After/)
        assert.match(answer, /nothing of it was passed on/)
        line.socket.destroy()
      }
      assert.equal(others.asked.length, 0)
      await mine.close()
      await others.close()
    })
  })

  it('are released when it stops or is removed instead', async () => {
    await withEdge({}, async (edge, time) => {
      for (const [change, status] of [
        [() => edge.router.set('soon', { state: 'stopped', instanceId: 'inst_soon' }), 503],
        [() => edge.router.remove('soon'), 404],
      ] as const) {
        edge.router.set('soon', { state: 'starting', instanceId: 'inst_soon' })
        const asked = ask(edge, 'soon.localhost')
        await eventually(() => time.waiting() === 1)
        change()
        assert.equal((await asked).status, status)
      }
    })
  })

  it('are dropped when the client goes', async () => {
    await withEdge({}, async (edge, time) => {
      const instance = await startInstance('inst_soon')
      const line = wire(edge, 'GET / HTTP/1.1\r\nHost: soon.localhost\r\n\r\n')
      await eventually(() => time.waiting() === 1)
      line.socket.destroy()
      await eventually(() => time.waiting() === 0)
      route(edge, 'soon', instance)
      assert.equal((await ask(edge, 'soon.localhost')).status, 200)
      assert.equal(instance.asked.length, 1)
      await instance.close()
    })
  })

  it('are limited in number', async () => {
    await withEdge({ ROUTER_HOLD_LIMIT: '2' }, async (edge, time) => {
      const held = [ask(edge, 'soon.localhost'), ask(edge, 'soon.localhost')]
      await eventually(() => time.waiting() === 2)
      assert.equal((await ask(edge, 'soon.localhost')).status, 503)
      time.elapse()
      for (const reply of await Promise.all(held)) assert.equal(reply.status, 503)
    })
  })

  it('reach it in the order in which they came', async () => {
    await withEdge({}, async (edge, time) => {
      const instance = await startInstance('inst_soon')
      const asked: Promise<unknown>[] = []
      for (let i = 0; i < 100; i++) {
        asked.push(ask(edge, 'soon.localhost', { path: `/${i}` }))
        await eventually(() => time.waiting() === i + 1)
      }
      route(edge, 'soon', instance)
      await Promise.all(asked)
      assert.deepEqual(
        instance.asked.map(({ url }) => url),
        asked.map((_, i) => `/${i}`),
      )
      await instance.close()
    })
  })

  it('wait for it when they upgrade the connection, too', async () => {
    await withEdge({}, async (edge, time) => {
      const instance = await startInstance('inst_soon')
      instance.server.on('upgrade', (_, socket) => {
        socket.end(
          'HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: inst_soon\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello',
        )
      })
      const upgrade = 'GET / HTTP/1.1\r\nHost: soon.localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
      const late = wire(edge, upgrade)
      await eventually(() => time.waiting() === 1)
      time.elapse()
      assert.match(await late.ended(), /^HTTP\/1\.1 503 [\s\S]*instance-starting/)
      const line = wire(edge, upgrade)
      await eventually(() => time.waiting() === 1)
      route(edge, 'soon', instance)
      await line.until(/^HTTP\/1\.1 101 [\s\S]*hello$/)
      line.socket.destroy()
      await instance.close()
    })
  })

  it('are limited in memory, and one instance cannot take every place', async () => {
    await withEdge({ ROUTER_HOLD_BYTES: '1m', ROUTER_HOLD_LIMIT: '20' }, async (edge, time) => {
      edge.router.set('other', { state: 'starting', instanceId: 'inst_other' })
      const body = 'x'.repeat(64 * 1024)
      const large = Array.from({ length: 16 }, () => ask(edge, 'soon.localhost', { method: 'POST', body }))
      assert.equal((await Promise.race(large)).status, 503)
      assert.equal(time.waiting(), 15)
      time.elapse()
      await Promise.all(large)

      const small = Array.from({ length: 19 }, () => ask(edge, 'soon.localhost'))
      assert.equal((await Promise.race(small)).status, 503)
      assert.equal(time.waiting(), 18)
      const other = ask(edge, 'other.localhost')
      await eventually(() => time.waiting() === 19)
      time.elapse()
      await Promise.all([...small, other])
    })
  })

  it('are answered when the program stops', async () => {
    const time = standingClock()
    const edge = await startEdge({}, time.clock)
    edge.router.set('soon', { state: 'starting', instanceId: 'inst_soon' })
    const asked = ask(edge, 'soon.localhost')
    await eventually(() => time.waiting() === 1)
    await edge.stop()
    const reply = await asked
    assert.equal(reply.status, 503)
    assert.equal(JSON.parse(reply.body).type, 'urn:longhouse:problem:router-stopping')
  })
})

describe('instances that cannot answer', () => {
  it('say why and when to retry, to people and programs', async () => {
    await withEdge({}, async edge => {
      const instance = await startInstance('inst_a')
      for (const [state, title, seconds] of [
        ['stopped', 'The instance is stopped', '30'],
        ['unhealthy', 'The instance is unhealthy', '10'],
      ] as const) {
        edge.router.set('a', { state, instanceId: 'inst_a', reason: 'Because <of> it' })
        const page = await ask(edge, 'a.localhost', browser)
        assert.equal(page.status, 503)
        assert.equal(page.headers['retry-after'], seconds)
        assert.ok(page.body.includes(`<h1>${title}</h1>`))
        assert.match(page.body, /Because &lt;of&gt; it\./)
        assert.match(page.body, new RegExp(`http-equiv="refresh" content="${seconds}"`))
        const problem = JSON.parse((await ask(edge, 'a.localhost')).body)
        assert.equal(problem.title, title)
        assert.equal(problem.type, `urn:longhouse:problem:instance-${state}`)
      }
      route(edge, 'a', instance)
      assert.equal((await ask(edge, 'a.localhost', browser)).body, 'inst_a')
      await instance.close()
    })
  })
})
