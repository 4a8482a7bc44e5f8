import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { BootError } from '../src/boot-error.ts'
import { setting } from '../src/kernel/config.ts'
import { definePlugin } from '../src/kernel/control-plane.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { bootForTest, keptLog, plain } from './boot.fixture.ts'

async function faultsOf(booting: Promise<unknown>): Promise<readonly string[]> {
  const error = await booting.then(
    () => assert.fail('it started'),
    (error: unknown) => error,
  )
  if (!(error instanceof BootError)) throw error
  return error.faults
}

/** Plugins that write down when they begin and end. */
function diary(...specs: { name: string; needs?: string[]; fails?: 'setup' | 'start' }[]) {
  const entries: string[] = []
  const plugins = specs.map(({ name, needs = [], fails }) =>
    plain({
      name,
      needs,
      setup: () => {
        if (fails === 'setup') throw new Error(`${name} does not set up`)
        entries.push(`setup ${name}`)
        return {
          start: () => {
            if (fails === 'start') throw new Error(`${name} does not start`)
            entries.push(`start ${name}`)
          },
          drain: () => void entries.push(`drain ${name}`),
          stop: () => void entries.push(`stop ${name}`),
        }
      },
    }),
  )
  return { entries, plugins }
}

test('every fault of the order, the site and every plugin is reported at once, and nothing is touched', async t => {
  const dataRoot = join(temporaryFolder(t), 'data')
  let touched = false
  const setup = () => {
    touched = true
    return {}
  }
  const plugins = [
    plain({ name: 'a', needs: ['gone'], config: z.object({ A_TOKEN: z.string('must be set') }), setup }),
    plain({
      name: 'b',
      needs: ['c'],
      config: z.object({ B_PORT: setting.port(), B_FLAG: setting.flag() }),
      setup,
    }),
    plain({ name: 'c', needs: ['b'], setup }),
  ]
  const env = {
    LONGHOUSE_DATA_ROOT: dataRoot,
    LONGHOUSE_PORT: 'http',
    B_PORT: 'secret-value',
    B_FLAG: 'maybe',
  }
  const faults = await faultsOf(bootForTest(t, plugins, { env }))
  assert.deepEqual([...faults].sort(), [
    'A_TOKEN: must be set',
    'B_FLAG: must be true or false',
    'B_PORT: must be a whole number from 0 to 65535',
    'LONGHOUSE_PORT: must be a whole number from 0 to 65535',
    'plugin "a" needs "gone", which is not there',
    'plugins need each other in a circle: b → c → b',
  ])
  assert.doesNotMatch(faults.join(), /secret-value/)
  assert.equal(touched, false)
  assert.throws(() => mkdirSync(join(dataRoot, 'x')), /ENOENT/, 'the data root was not made')
})

test('a plugin gets its own settings and the services that it declared, and no others', async t => {
  const seen: Record<string, unknown>[] = []
  const plugins = [
    plain({
      name: 'last',
      needs: ['first'],
      config: z.object({ LAST: setting.integer(0, 9).prefault('3') }),
      setup: ({ services, config }) => {
        seen.push({ services, config })
        return {}
      },
    }),
    plain({ name: 'first', setup: () => ({ service: { hello: 1 } as never }) }),
    plain({ name: 'other', setup: () => ({ service: { secret: 2 } as never }) }),
  ]
  await bootForTest(t, plugins, { env: { OTHER: 'x' } })
  assert.deepEqual(seen, [{ services: { first: { hello: 1 } }, config: { LAST: 3 } }])
})

test('plugins start in order and stop in reverse, once, however often stop is called', async t => {
  const { entries, plugins } = diary({ name: 'c', needs: ['b'] }, { name: 'a' }, { name: 'b', needs: ['a'] })
  const program = await bootForTest(t, plugins)
  await program.listen()
  await Promise.all([program.stop(), program.stop()])
  await program.stop()
  assert.deepEqual(entries, [
    ...['setup a', 'setup b', 'setup c', 'start a', 'start b', 'start c'],
    ...['drain c', 'drain b', 'drain a', 'stop c', 'stop b', 'stop a'],
  ])
})

test('a plugin that fails stops those before it, in reverse, and frees the data root', async t => {
  const env = { LONGHOUSE_DATA_ROOT: temporaryFolder(t) }
  const setup = diary({ name: 'a' }, { name: 'b' }, { name: 'c', fails: 'setup' })
  await assert.rejects(bootForTest(t, setup.plugins, { env }), /c does not set up/)
  assert.deepEqual(setup.entries, ['setup a', 'setup b', 'stop b', 'stop a'])

  const start = diary({ name: 'a' }, { name: 'b', fails: 'start' })
  await assert.rejects(bootForTest(t, start.plugins, { env }), /b does not start/)
  assert.deepEqual(start.entries, ['setup a', 'setup b', 'start a', 'stop b', 'stop a'])

  const good = diary({ name: 'a' })
  await (await bootForTest(t, good.plugins, { env })).stop()
  assert.deepEqual(good.entries, ['setup a', 'start a', 'stop a'])
})

test('a plugin that fails to stop is logged, and the others stop all the same', async t => {
  const { log, lines } = keptLog()
  const stopped: string[] = []
  const plugins = [
    plain({ name: 'a', setup: () => ({ stop: () => void stopped.push('a') }) }),
    plain({ name: 'b', setup: () => ({ stop: () => Promise.reject(new Error('stuck')) }) }),
  ]
  const program = await bootForTest(t, plugins, { log })
  await program.stop()
  assert.deepEqual(stopped, ['a'])
  assert.match(lines(), /stuck/)
})

test('a second control plane on the same data root is refused, and leaves the first alone', async t => {
  const env = { LONGHOUSE_DATA_ROOT: temporaryFolder(t) }
  const ping = plain({ name: 'a' })
  const first = await bootForTest(t, [ping], { env })
  const faults = await faultsOf(bootForTest(t, [ping], { env }))
  assert.match(faults.join(), /^LONGHOUSE_DATA_ROOT: another control plane runs on .*; stop it first$/)
  assert.equal((await first.app.request('/openapi.json')).status, 200)
  await first.stop()
  await bootForTest(t, [ping], { env })
})

test('an unusable data root is reported in words', async t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const inAFile = await faultsOf(bootForTest(t, [], { env: { LONGHOUSE_DATA_ROOT: join(folder, 'file') } }))
  assert.match(inAFile.join(), /^LONGHOUSE_DATA_ROOT: cannot use .*file\/\.control: /)

  mkdirSync(join(folder, '.control'))
  writeFileSync(
    join(folder, '.control/longhouse.db'),
    'this is no database, and long enough to be seen as none'.repeat(20),
  )
  const broken = await faultsOf(bootForTest(t, [], { env: { LONGHOUSE_DATA_ROOT: folder } }))
  assert.match(broken.join(), /^LONGHOUSE_DATA_ROOT: .*longhouse\.db is not a database: /)
})

test('a port in use is reported in words, and everything is stopped again', async t => {
  const blocker = createServer().listen(0, '127.0.0.1')
  t.after(() => blocker.close())
  await once(blocker, 'listening')
  const { port } = blocker.address() as { port: number }
  const { entries, plugins } = diary({ name: 'a' })
  const program = await bootForTest(t, plugins, { env: { LONGHOUSE_PORT: String(port) } })
  const faults = await faultsOf(program.listen())
  assert.match(
    faults.join(),
    /^LONGHOUSE_PORT: something else listens on 127\.0\.0\.1:\d+; stop it or choose another/,
  )
  assert.deepEqual(entries, ['setup a', 'start a', 'stop a'])
})

test('tasks run while it listens, on their own or when one is named, and can be nudged', async t => {
  let rounds = 0
  let nudge = () => {}
  const worker = plain({
    name: 'worker',
    setup: context => {
      nudge = () => context.nudge('count')
      const fails = { name: 'fails', everyMs: 3_600_000, run: () => Promise.reject(new Error('no')) }
      return { tasks: [{ name: 'count', everyMs: 3_600_000, run: async () => void rounds++ }, fails] }
    },
  })
  const program = await bootForTest(t, [worker])
  nudge()
  await program.runOnce('worker:count')
  assert.equal(rounds, 1, 'nothing runs of itself before it listens')
  await assert.rejects(program.runOnce('worker:fails'), /no/)
  await assert.rejects(
    program.runOnce('count'),
    /no task is called count; there are worker:count, worker:fails/,
  )
  await program.listen()
  await eventually('it runs', () => rounds === 2)
  nudge()
  await eventually('it runs again', () => rounds === 3)
  await program.stop()
  nudge()
  assert.equal(rounds, 3)
})

test('an event reaches every listener after its announcer is done; one that throws does not affect the others', async t => {
  const { log, lines } = keptLog()
  const heard: string[] = []
  let announce = () => {}
  const listener = (name: string, hear: () => unknown) =>
    plain({ name, setup: () => ({ on: { 'thing-happened': hear } }) as never })
  const plugins = [
    plain({
      name: 'announcer',
      setup: ({ emit }) => {
        announce = () => {
          ;(emit as (event: string, payload: unknown) => void)('thing-happened', { id: 1 })
          heard.push('announced')
        }
        return {}
      },
    }),
    listener('throws', () => {
      throw new Error('sync')
    }),
    listener('rejects', () => Promise.reject(new Error('async'))),
    listener('hears', () => heard.push('heard')),
  ]
  await bootForTest(t, plugins, { log })
  announce()
  await eventually('it is heard', () => heard.length === 2)
  assert.deepEqual(heard, ['announced', 'heard'])
  assert.match(lines(), /"plugin":"throws"/)
  assert.match(lines(), /"plugin":"rejects"/)
})

test('a name that two checks want is refused, and each plugin sees all checks', async t => {
  const checker = (name: string, check: string) =>
    plain({ name, setup: () => ({ checks: { [check]: () => {} } }) })
  const names: string[] = []
  const reader = plain({
    name: 'reader',
    setup: ({ checks }) => ({ start: () => void names.push(...checks().keys()) }),
  })
  await bootForTest(t, [reader, checker('a', 'mail'), checker('b', 'engine')])
  assert.deepEqual(names, ['database', 'disk', 'mail', 'engine'])
  const twice = bootForTest(t, [checker('a', 'mail'), checker('b', 'mail')])
  await assert.rejects(twice, /plugin "b": a check is already called "mail"/)
})

test('definePlugin keeps what it was given', () => {
  const config = z.object({ X: z.string() })
  const plugin = definePlugin({ name: 'x', config, setup: () => ({}) })
  assert.deepEqual([plugin.name, plugin.needs, plugin.config, plugin.tables], ['x', [], config, undefined])
})

test('a misspelled setting stops the start and names the right one; one that only looks like a setting is logged', async t => {
  const config = z.object({ RETENTION_DAYS: setting.integer(0, 100).prefault('30') })
  const plugins = [plain({ name: 'kept', config })]
  const env = { RETENTION_DAY: '0', LONGHOUSE_PORTS: '1' }
  assert.deepEqual(await faultsOf(bootForTest(t, plugins, { env })), [
    'RETENTION_DAY: no setting has this name; did you mean RETENTION_DAYS?',
    'LONGHOUSE_PORTS: no setting has this name; did you mean LONGHOUSE_PORT?',
  ])
  const { log, lines } = keptLog()
  await bootForTest(t, plugins, { env: { RETENTION_POLICY: 'x' }, log })
  assert.match(lines(), /RETENTION_POLICY: no setting has this name, so that it does nothing/)
})
