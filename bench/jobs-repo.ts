/**
 * A repo of 22 jobs and 15 packages (`bench/jobs-repo/`), which the product installs: how much memory the reading of its
 * manifest needs, and whether it is ever refused; from a save until it is live; and what a run that uses none of the
 * packages takes, beside the same run in a repo that has nothing else. The packages come from the registry, once.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builds } from './beside.fixture.ts'
import { now, open, pause, print, type Session, stop } from './instance.fixture.ts'
import { watchReading } from './reading.fixture.ts'

const rounds = Number(process.argv[2] ?? 20)
const repo = join(import.meta.dirname, 'jobs-repo')
const cache = join(import.meta.dirname, '../node_modules/.cache/bench/packages')
const dir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
const authority = process.env.NODE_EXTRA_CA_CERTS
const opened: Session[] = []

async function openWith(name: string, program: string): Promise<{ session: Session; jobs: string }> {
  const volume = join(dir, name)
  const jobs = join(volume, 'jobs')
  mkdirSync(volume)
  cpSync(repo, jobs, { recursive: true })
  // Where this machine reaches the registry by an authority of its own.
  if (authority) writeFileSync(join(jobs, '.npmrc'), `cafile=${authority}\n`)
  if (existsSync(cache)) hardLinks(cache, join(volume, 'packages'))
  const session = await open(volume, program)
  opened.push(session)
  if (!existsSync(cache)) hardLinks(join(volume, 'packages'), cache)
  return { session, jobs }
}

async function openEmpty(name: string, program: string): Promise<Session> {
  const jobs = join(dir, name, 'jobs')
  mkdirSync(join(jobs, 'jobs'), { recursive: true })
  cpSync(join(repo, 'jobs/heartbeat.ts'), join(jobs, 'jobs/heartbeat.ts'))
  writeFileSync(
    join(jobs, 'manifest.ts'),
    `import { jobRegistry } from 'longhouse/jobs'
    import { run } from './jobs/heartbeat'
    jobRegistry.register({ id: 'heartbeat', cron: '@yearly', func: run })\n`,
  )
  writeFileSync(join(jobs, 'package.json'), '{ "type": "module" }\n')
  const session = await open(join(dir, name), program)
  opened.push(session)
  return session
}

/** The same packages for each build, without a copy. */
function hardLinks(from: string, to: string): void {
  mkdirSync(join(to, '..'), { recursive: true })
  const { status, stderr } = spawnSync('cp', ['-al', from, to], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

async function firstLine(session: Session): Promise<number> {
  const askedAt = now()
  return Number(await session.run('heartbeat')) - askedAt
}

try {
  for (const { name, program } of builds()) {
    const { session, jobs } = await openWith(name, program)
    const empty = await openEmpty(`${name}-empty`, program)
    const edit = (round: number) =>
      session.save(() => appendFileSync(join(jobs, 'jobs/heartbeat.ts'), `// ${round}\n`))

    const memory: number[] = []
    for (let round = 0; round < rounds; round++) {
      const ended = watchReading(session.child.pid ?? 0)
      await edit(round)
      memory.push(await ended())
    }
    const live: number[] = []
    for (let round = 0; round < rounds; round++) {
      await pause(300)
      live.push(await edit(rounds + round))
    }
    const [here, there]: number[][] = [[], []]
    await Promise.all([firstLine(session), firstLine(empty)])
    for (let round = 0; round < rounds; round++) {
      await pause(300)
      here?.push(await firstLine(session))
      await pause(300)
      there?.push(await firstLine(empty))
    }
    print(`${name}: memory of a reading, none refused`, memory, { unit: 'MiB', most: 150 })
    print(`${name}: save → live, of 22 jobs`, live, { most: 1000 })
    const beside = print(`${name}: run without packages, in an empty repo`, there ?? [])
    print(`${name}: the same in the repo of 22 jobs (at most ×1.3)`, here ?? [], { beside })
  }
} finally {
  await Promise.all(opened.map(stop))
  rmSync(dir, { recursive: true, force: true })
}
