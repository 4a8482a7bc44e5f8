import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../src/clock.ts'
import type { Plugin } from '../src/kernel/plugin.ts'
import { silentLog } from '../src/log.ts'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { boot, type Runtime } from './boot.ts'
import { openVolume } from './open-volume.ts'
import { plugins } from './program.ts'

const password = 'correct horse battery'
const job = `import { existsSync } from 'node:fs'
import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'job', cron: '@hourly', func: async ({ log }) => {
  log('goes')
  while (!existsSync('data/end')) await new Promise(done => setTimeout(done, 20))
  log('ends')
} })
`

/** The same plugin, which says when it drains and when it stops, before it does. */
function traced(plugin: Plugin, say: (what: string) => void | Promise<void>): Plugin {
  return {
    ...plugin,
    setup: async context => {
      const parts = await plugin.setup(context)
      const { drain, stop } = parts
      const tasks = parts.tasks?.map(task => ({
        ...task,
        run: async (signal: AbortSignal) => {
          signal.addEventListener('abort', () => void say(`task ${plugin.name}:${task.name} ends`))
          await task.run(signal)
        },
      }))
      return {
        ...parts,
        ...(tasks && { tasks }),
        ...(drain && {
          drain: async how => {
            await say(`${plugin.name} drains`)
            await drain(how)
            await say(`${plugin.name} is drained`)
          },
        }),
        ...(stop && {
          stop: async () => {
            await say(`${plugin.name} stops`)
            await stop()
          },
        }),
      }
    },
  }
}

interface Going {
  dir: string
  runtime: Runtime
  /** What was said so far, and what each said of the port and the volume at that time. */
  order: string[]
  /** What a reader of the run's log has got so far; the stream is over at `null`. */
  log: { text: string; over: boolean }
  end(): void
}

/** An instance with a run in progress and a follower of its log. */
async function startGoing(t: TestContext): Promise<Going> {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'jobs/data'), { recursive: true })
  writeFileSync(join(dir, 'jobs/.gitignore'), 'data/\n')
  writeFileSync(join(dir, 'jobs/manifest.ts'), job)
  const order: string[] = []
  let port = 0
  const say = async (what: string) => {
    const listens = await fetch(`http://127.0.0.1:${port}/api/health`).then(
      () => 'listening',
      () => 'closed',
    )
    order.push(`${what}: ${listens}, ${isFree(dir) ? 'volume free' : 'volume held'}`)
  }
  const runtime = await boot({
    plugins: plugins.map(plugin => traced(plugin, say)),
    env: { LONGHOUSE_DATA_DIR: dir, LONGHOUSE_PORT: '0', LONGHOUSE_PASSWORD: password },
    log: silentLog,
    clock: systemClock,
    spawned: false,
  })
  t.after(() => runtime.stop({ patience: false }))
  port = runtime.port
  await runtime.started
  const base = `http://127.0.0.1:${port}`
  const signedIn = await fetch(`${base}/api/auth/password`, {
    method: 'POST',
    body: JSON.stringify({ password }),
  })
  const Cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
  const run = await eventually('the job runs', async () => {
    const answer = await fetch(`${base}/api/jobs/job/run`, { method: 'POST', headers: { Cookie } })
    return answer.status === 202 ? ((await answer.json()) as { id: string }) : null
  })
  const live = await fetch(`${base}/api/runs/${run.id}/log`, {
    headers: { Cookie, Accept: 'text/event-stream' },
  })
  const log = { text: '', over: false }
  const reading = async () => {
    for await (const piece of live.body ?? []) log.text += Buffer.from(piece).toString()
  }
  void reading()
    .catch(() => {})
    .finally(() => {
      log.over = true
    })
  await eventually('the run goes', () => log.text.includes('goes'))
  return { dir, runtime, order, log, end: () => writeFileSync(join(dir, 'jobs/data/end'), '') }
}

function isFree(dir: string): boolean {
  try {
    openVolume(dir, { waitMs: 0 }).close()
    return true
  } catch {
    return false
  }
}

const withoutTasks = (order: readonly string[]) => order.filter(what => !what.startsWith('task '))

const wholeOrder = [
  'jobs drains: listening, volume held',
  'jobs is drained: listening, volume held',
  'packages drains: listening, volume held',
  'packages is drained: listening, volume held',
  'git-server stops: closed, volume held',
  'sync stops: closed, volume held',
  'jobs stops: closed, volume held',
  'repo stops: closed, volume held',
  'packages stops: closed, volume held',
  'state stops: closed, volume held',
  'certificates stops: closed, volume held',
]

test('a stop ends runs, then log followers, then the port, then the plugins, and the volume last', async t => {
  const { dir, runtime, order, log, end } = await startGoing(t)
  const stopped = runtime.stop({ patience: true })
  await eventually('it drains', () => order.length > 0)
  assert.equal(log.over, false, 'whoever follows the run still does')
  end()
  await stopped
  await eventually('the log is over', () => log.over)
  assert.match(log.text, /ends[\s\S]*event: end[\s\S]*"status":"succeeded"/)
  assert.deepEqual(withoutTasks(order), wholeOrder)
  const closed = order.findIndex(what => what.includes('closed'))
  const tasks = order.flatMap((what, index) => (what.startsWith('task ') ? [index] : []))
  for (const index of tasks) {
    assert.ok(index >= closed, 'tasks end once the port is closed')
    assert.match(order[index] ?? '', /volume held/)
  }
  assert.ok(isFree(dir))
})

test('a stop without patience interrupts the run, in the same order', async t => {
  const { runtime, order, log, dir } = await startGoing(t)
  await runtime.stop({ patience: false })
  await eventually('the log is over', () => log.over)
  assert.doesNotMatch(log.text, /"status":"succeeded"/)
  assert.deepEqual(withoutTasks(order), wholeOrder)
  assert.ok(isFree(dir))
  assert.ok(!existsSync(join(dir, 'jobs/data/end')))
})
