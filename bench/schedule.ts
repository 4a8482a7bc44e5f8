/**
 * The schedule of one instance: from a slot until another program can read its run in the database, for one job and for
 * a thousand in the same second, beside what a timer alone takes in the same run; from the save of one of 200 job files
 * until the new set is live and committed; the memory of an idle instance with a hundred jobs, in its container where
 * there is an engine (DOCKER_HOST and LONGHOUSE_TEST_IMAGE).
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { eventually } from '../src/testing/eventually.ts'
import { pause, print, signIn, start, stop } from './instance.fixture.ts'

const seconds = Number(process.argv[2] ?? 30)
const now = () => performance.timeOrigin + performance.now()

const registry = "import { jobRegistry } from 'longhouse/jobs'\n"

/** A volume whose manifest is this. */
function volume(manifest: string, files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  for (const [name, content] of Object.entries({ ...files, 'manifest.ts': manifest })) {
    mkdirSync(join(dir, 'jobs', name, '..'), { recursive: true })
    writeFileSync(join(dir, 'jobs', name), registry + content)
  }
  return dir
}

async function withInstance(
  dir: string,
  work: (instance: Awaited<ReturnType<typeof start>>) => Promise<void>,
) {
  const instance = await start(dir)
  try {
    await work(instance)
  } finally {
    await stop(instance)
    rmSync(dir, { recursive: true, force: true })
  }
}

/** How late a timer alone is at whole seconds, in a thread that does nothing else. */
function timerAlone(times: number): Promise<number[]> {
  const code = `const { parentPort } = require('node:worker_threads')
    const now = () => performance.timeOrigin + performance.now()
    const late = []
    const next = () => {
      const slot = Math.ceil(now() / 1000) * 1000
      setTimeout(() => {
        late.push(now() - slot)
        late.length === ${times} ? parentPort.postMessage(late) : setTimeout(next, 100)
      }, slot - now())
    }
    next()`
  return new Promise((resolve, reject) =>
    new Worker(code, { eval: true }).once('message', resolve).once('error', reject),
  )
}

/** Time from the slot until `count` rows of the ledger can be read from the file. */
async function untilRows(dir: string, slot: number, count: number): Promise<number> {
  const db = new Database(join(dir, 'longhouse.db'), { readonly: true })
  const rows = db.prepare('select count(*) from jobs_slots where at = ?').pluck()
  await pause(Math.max(0, slot - now() - 20))
  try {
    while (rows.get(slot) !== count) {
      if (now() > slot + 30_000) throw new Error(`only ${rows.get(slot)} of ${count} rows came`)
      // Half a millisecond, without a turn of the event loop.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.5)
    }
    return now() - slot
  } finally {
    db.close()
  }
}

async function oneJob(): Promise<void> {
  const dir = volume(
    `jobRegistry.register({ id: 'job', cron: '* * * * * *', overlap: 'queue', func: () => 1 })\n`,
  )
  await withInstance(dir, async () => {
    await pause(3000)
    const timer = timerAlone(seconds)
    const late: number[] = []
    for (let i = 0; i < seconds; i++) late.push(await untilRows(dir, Math.ceil(now() / 1000) * 1000, 1))
    print('slot → run and ledger row, one job', late)
    print('setTimeout alone, in the same seconds', await timer)
  })
}

async function thousandJobs(): Promise<void> {
  const slot = Math.ceil((now() + 15_000) / 1000) * 1000
  const at = new Date(slot)
  const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`
  const dir = volume(
    `for (let i = 0; i < 1000; i++) jobRegistry.register({ id: 'job-' + i, cron: '${cron}', func: () => 1 })\n`,
  )
  await withInstance(dir, async () => {
    print('slot → ledger row, the last of 1,000 jobs', [await untilRows(dir, slot, 1000)])
  })
}

async function saving(): Promise<void> {
  const names = Array.from({ length: 200 }, (_, i) => `job-${i}`)
  const files = Object.fromEntries(
    names.map(name => [
      `jobs/${name}.ts`,
      `jobRegistry.register({ id: '${name}', cron: '@daily', func: () => '${name}' })\n`,
    ]),
  )
  const dir = volume(names.map(name => `import './jobs/${name}'\n`).join(''), files)
  await withInstance(dir, async instance => {
    const headers = { cookie: await signIn(instance) }
    const commit = async () => {
      const answer = await fetch(`${instance.url}/api/jobs/repo`, { headers })
      return ((await answer.json()) as { head: { commit: string } | null }).head?.commit
    }
    await eventually('the first commit', commit)
    await pause(1000)
    const live: number[] = []
    for (let i = 0; i < 10; i++) {
      const before = await commit()
      const savedAt = performance.now()
      writeFileSync(join(dir, 'jobs/jobs/job-7.ts'), `${registry}${files['jobs/job-7.ts']}// ${i}\n`)
      while ((await commit()) === before) await pause(5)
      live.push(performance.now() - savedAt)
      await pause(200)
    }
    print('save of one of 200 job files → live', live.slice(1))
  })
}

const hundredJobs = `for (let i = 0; i < 100; i++) jobRegistry.register({ id: 'job-' + i, cron: i % 60 + ' 3 * * *', func: () => 1 })\n`

/** In its cgroup, as the engine reports it: without what the kernel keeps of files and can drop. */
async function idleInContainer(image: string): Promise<void> {
  const dir = volume(hundredJobs)
  chmodSync(dir, 0o777)
  const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim()
  execFileSync('chmod', ['-R', 'a+rwX', dir])
  const settings = { LONGHOUSE_INSTANCE_ID: 'inst_bench', LONGHOUSE_PASSWORD: 'a password for the bench' }
  const env = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const id = docker(
    'run',
    '--detach',
    '--network',
    'none',
    '--init',
    '--volume',
    `${dir}:/data`,
    ...env,
    image,
  )
  try {
    await pause(25_000)
    console.log(
      `idle with 100 jobs, in its container: ${docker('stats', '--no-stream', '--format', '{{.MemUsage}}', id)}`,
    )
  } finally {
    docker('rm', '--force', id)
    rmSync(dir, { recursive: true, force: true })
  }
}

await oneJob()
await thousandJobs()
await saving()
const image = process.env.LONGHOUSE_TEST_IMAGE
if (image) await idleInContainer(image)
else console.log('memory in a container: left out, LONGHOUSE_TEST_IMAGE names no runtime image')
