/**
 * Runs of an instance without a container: from the request to the first line of the job's own code, with a runner that
 * waits and with none; and isolated runs that do nothing, as many a second as there are, with the processor time that
 * each takes. Beside them in the same minutes what the system itself takes for the same: a fork until its first message,
 * and Node from start to end.
 */
import { fork, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builds } from './beside.fixture.ts'
import { open, pause, print, type Session, stop } from './instance.fixture.ts'

const rounds = Number(process.argv[2] ?? 60)
const noOps = Number(process.argv[3] ?? 100)
const dir = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))

/** The clock that all processes share. That of `performance` takes a job a millisecond to load. */
const now = () => Number(process.hrtime.bigint()) / 1e6

const manifest = `import { jobRegistry } from 'longhouse/jobs'
const at = () => Number(process.hrtime.bigint()) / 1e6
jobRegistry.register({ id: 'line', cron: '@yearly', func: () => at() })
jobRegistry.register({ id: 'nothing', cron: '@yearly', func: () => {} })
`

function bareFork(): Promise<number> {
  const file = join(dir, 'hello.mjs')
  writeFileSync(file, 'process.send(1)')
  const startedAt = now()
  const child = fork(file, { execArgv: [] })
  return new Promise(done => {
    child.once('message', () => {
      const took = now() - startedAt
      child.once('exit', () => done(took))
      child.disconnect()
    })
  })
}

function bareNode(): Promise<void> {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  return new Promise(done => child.once('exit', () => done()))
}

/** Processor time of a process and of its children that have ended, in milliseconds. */
function cpuMs(pid: number | 'self'): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0)
  return ticks * 10
}

/** How many a second, `atOnce` at a time, and the processor time of each in milliseconds. */
async function rate(
  pid: number | 'self',
  atOnce: number,
  one: () => Promise<unknown>,
): Promise<{ perSecond: number; cpu: number }> {
  const [startedAt, before] = [now(), cpuMs(pid)]
  let left = noOps
  const worker = async () => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const perSecond = (1000 * noOps) / (now() - startedAt)
  // The last processes are collected after their runs have ended.
  await pause(200)
  return { perSecond, cpu: (cpuMs(pid) - before) / noOps }
}

async function firstLine(session: Session): Promise<number> {
  const askedAt = now()
  return Number(await session.run('line')) - askedAt
}

async function openRuns({ name, program }: { name: string; program: string }) {
  const volume = mkdtempSync(join(dir, 'volume-'))
  mkdirSync(join(volume, 'jobs'))
  writeFileSync(join(volume, 'jobs/manifest.ts'), manifest)
  const session = await open(volume, program)
  await firstLine(session)
  const empty = (): number[] => []
  return { name, session, warm: empty(), cold: empty(), rates: empty(), cpus: empty() }
}

const all: Awaited<ReturnType<typeof openRuns>>[] = []
try {
  for (const build of builds()) all.push(await openRuns(build))
  const forks: number[] = []
  for (let round = 0; round < rounds; round++) {
    for (const { session, warm, cold } of all) {
      await pause(250)
      warm.push(await firstLine(session))
      await pause(250)
      // Of two at once, one finds no runner that waits.
      cold.push(Math.max(...(await Promise.all([firstLine(session), firstLine(session)]))))
    }
    await pause(250)
    forks.push(await bareFork())
  }
  const bare = { rates: [] as number[], cpus: [] as number[] }
  for (let round = 0; round < 5; round++) {
    const found = await rate('self', 4, bareNode)
    bare.rates.push(found.perSecond)
    bare.cpus.push(found.cpu)
    for (const { session, rates, cpus } of all) {
      const own = await rate(session.child.pid ?? 0, 8, () => session.run('nothing'))
      rates.push(own.perSecond)
      cpus.push(own.cpu)
    }
  }
  const beside = print('anchor: fork() → first message', forks)
  for (const { name, warm, cold } of all) {
    print(`${name}: run asked for → first line, warm`, warm, { beside, most: 10 })
    print(`${name}: run asked for → first line, cold`, cold, { beside, most: 50 })
  }
  const nodes = print('anchor: node -e 0, 4 at a time', bare.rates, { unit: '/s' })
  const nodeCpu = print('anchor: processor time of node -e 0', bare.cpus)
  for (const { name, rates, cpus } of all) {
    print(`${name}: runs that do nothing, 8 at a time`, rates, { unit: '/s', beside: nodes, least: 40 })
    print(`${name}: processor time of each`, cpus, { beside: nodeCpu })
  }
} finally {
  await Promise.all(all.map(({ session }) => stop(session)))
  rmSync(dir, { recursive: true, force: true })
}
