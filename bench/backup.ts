/**
 * Copies, proves and restores an instance with a large volume, beside `tar` and plain `restic` on the same files; and how late
 * the slots of a job that is due every second are meanwhile.
 *   node --import tsx bench/backup.ts [MiB]
 * On Docker with LONGHOUSE_TEST_IMAGE, else with processes.
 */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLonghouse, testImage } from '../e2e/longhouse.fixture.ts'

const mebibytes = Number(process.argv[2] ?? 500)
const place = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
const dataRoot = join(place, 'data')
const releases: (() => unknown)[] = []

const manifest = `import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({ id: 'secondly', cron: '* * * * * *', func: () => {} })
`

function print(name: string, ms: number): void {
  const rate = ((mebibytes * 1000) / ms).toFixed(0)
  console.log(`${name.padEnd(40)} ${(ms / 1000).toFixed(1).padStart(6)} s ${rate.padStart(6)} MiB/s`)
}

async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const from = performance.now()
  const result = await work()
  print(name, performance.now() - from)
  return result
}

try {
  mkdirSync(dataRoot)
  const driver = testImage ? 'docker' : 'process'
  const longhouse = await startLonghouse(
    { after: (release: () => unknown) => releases.push(release) } as never,
    {
      driver,
      dataRoot,
      env: { LOG_LEVEL: 'silent', BACKUP_STORE: join(place, 'store') },
    },
  )
  const { password } = await longhouse.provision('bench')
  const api = await longhouse.login('bench', password)
  await api('/api/jobs/repo/init', { method: 'POST' })
  await api('/api/jobs/repo/files/manifest.ts', { method: 'PUT', body: { content: manifest } })
  const volume = join(dataRoot, 'bench')
  mkdirSync(join(volume, 'jobs/data'), { recursive: true })
  for (let file = 0; file < mebibytes / 10; file++)
    writeFileSync(join(volume, `jobs/data/${file}.bin`), randomBytes(10 * 1024 ** 2))

  const run = (command: string, args: readonly string[]) => {
    const { status, stderr } = spawnSync(command, args, {
      env: { ...process.env, RESTIC_PASSWORD: 'bench', RESTIC_REPOSITORY: join(place, 'plain') },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    if (status !== 0) throw new Error(`${command}: ${stderr}`)
  }
  await timed('tar', () =>
    run('tar', ['-C', join(volume, 'jobs/data'), '-cf', join(place, 'plain.tar'), '.']),
  )
  run('restic', ['init'])
  await timed('restic, first', () => run('restic', ['backup', join(volume, 'jobs/data')]))
  await timed('restic, all of it restored', () =>
    run('restic', ['restore', 'latest', '--target', join(place, 'out')]),
  )

  const path = '/admin/instances/bench'
  const copyOnce = async () => {
    const answer = await longhouse.admin(`${path}/backup`, { method: 'POST', wait: 120 })
    if (answer.status !== 201) throw new Error(answer.text)
    return answer.json<{ id: string }>().id
  }
  const slotsBetween = async (what: string, work: () => Promise<unknown>) => {
    const from = Date.now()
    await work()
    const to = Date.now()
    const { runs } = (await api('/api/jobs/secondly/runs?limit=200')).json<{
      runs: { slot: string | null; started_at: string | null }[]
    }>()
    const late = runs
      .flatMap(({ slot, started_at }) =>
        slot && started_at ? [[Date.parse(slot), Date.parse(started_at)] as const] : [],
      )
      .filter(([slot]) => slot >= from && slot < to)
      .map(([slot, started]) => started - slot)
      .toSorted((one, other) => one - other)
    const at = (share: number) => late[Math.min(late.length - 1, Math.floor(late.length * share))]
    console.log(
      `${late.length} slots ${what}: late by p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${late.at(-1)} ms`,
    )
  }
  await slotsBetween('without a copy', () => new Promise(resolve => setTimeout(resolve, 20_000)))
  let copy = ''
  await slotsBetween('meanwhile', async () => {
    await timed('a copy, first', copyOnce)
    copy = await timed('a copy, nothing new', copyOnce)
    const verify = `${path}/backups/${copy}/verify`
    await timed('a proof', () => longhouse.admin(verify, { method: 'POST', wait: 120 }))
  })
  await timed('a restore in place', async () => {
    const answer = await longhouse.admin(`${path}/restore`, { body: { backup: copy }, wait: 120 })
    const { operation } = answer.json<{
      operation: { status: string; steps: { name: string; started_at: string; finished_at: string }[] }
    }>()
    if (operation.status !== 'succeeded') throw new Error(answer.text)
    const [stopped] = operation.steps.filter(({ name }) => name === 'stop routing')
    const [healthy] = operation.steps.filter(({ name }) => name === 'wait until healthy')
    const outage = Date.parse(healthy?.finished_at ?? '') - Date.parse(stopped?.started_at ?? '')
    console.log(
      `without answer ${(outage / 1000).toFixed(1)} s, of which the copy of the current data is most`,
    )
  })
} finally {
  for (const release of releases.reverse()) await release()
  rmSync(place, { recursive: true, force: true })
}
