// Runs in the virtual machine of quotas.test.ts, as root; the control plane and its instances run as another user.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { InstanceJson } from '../cli/operator/control/wire.ts'
import { surveyQuotas } from '../cli/operator/quotas/volumes.ts'
import { openProjectQuotas, type ProjectQuotas } from '../src/storage/project-quota.ts'
import { identityFile } from '../src/storage/volume-identity.ts'
import { eventually } from '../src/testing/eventually.ts'
import { type Longhouse, startLonghouse } from './longhouse.fixture.ts'
import { operator } from './operator.fixture.ts'

const mebibyte = 1024 ** 2
const user = 10001
const limit = 64 * mebibyte
const quota = 128 * mebibyte

interface Use {
  used_bytes: number
  level: string
  quota: { bytes: number; files: number; used_files: number } | null
}
interface Run {
  id: string
  status: string
  result: unknown
  error: { message: string } | null
}

const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '@yearly', timeout: '2m', func: ${func} })\n`
const manifest = `import { spawnSync } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { jobRegistry } from 'longhouse/jobs'
const said = (...words) => { const { status, stderr } = spawnSync(words[0], words.slice(1), { encoding: 'utf8' }); return [status, stderr] }
${job(
  'without-end',
  `() => {
    const block = Buffer.alloc(1024 * 1024, 1)
    for (let full = 0; ; ) {
      try { appendFileSync('data/filler', block) } catch (error) {
        if (full++ === 0) console.log('refused: ' + error.code)
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      }
    }
  }`,
)}
${job(
  'leaves',
  "() => { writeFileSync('data/mine', 'x'); return [said('chattr', '-p', '0', 'data/mine'), said('chattr', '-p', '0', 'data'), said('chattr', '-P', 'data')] }",
)}
${job('quick', '() => 1')}`

const calls = openProjectQuotas()
assert.ok(calls)
const quotas: ProjectQuotas = calls
const dataRoot = '/run/xfs/data'
/** The machine is slow, and may be one of many. */
const patiently = { pauseMs: 200, withinMs: 400_000 }
const environment = { HOME: '/run/tmp', TMPDIR: '/run/tmp', NODE_COMPILE_CACHE: '/run/tmp/compiled' }

const projectOf = (path: string | Buffer) => {
  const fd = openSync(path, 'r')
  try {
    return quotas.project(fd).id
  } finally {
    closeSync(fd)
  }
}

const sizeOf = (path: string) => {
  const { blocks, bsize } = statfsSync(path)
  return blocks * bsize
}

/** Runs a program as the user of the instances; answers what it said of its failure. */
const asUser = (program: string, ...words: string[]) =>
  spawnSync(program, words, { uid: user, gid: user, encoding: 'utf8' }).stderr

/** Shows at once what fails: later the machine may be gone. */
async function part(t: TestContext, name: string, does: () => Promise<void>): Promise<void> {
  await t.test(name, async () => {
    await does().catch(error => {
      console.error(name, error)
      throw error
    })
  })
}

for (const [name, refusal] of [
  ['xfs', /No space left on device/],
  ['ext4', /Disk quota exceeded/],
] as const)
  test(`volumes on ${name} follow their instances`, t =>
    part(t, name, () => follow(`/run/${name}/some`, refusal)))

/** Sets the quotas of volumes as their instances come, change and go. */
async function follow(root: string, refusal: RegExp): Promise<void> {
  const volume = (subdomain: string) => join(root, subdomain)
  const make = (subdomain: string, diskBytes: number | null = limit) => {
    mkdirSync(volume(subdomain), { recursive: true })
    writeFileSync(join(volume(subdomain), identityFile), `id-${subdomain}\n`)
    for (const path of [volume(subdomain), join(volume(subdomain), identityFile)]) chownSync(path, user, user)
    return { subdomain, id: `id-${subdomain}`, limits: { disk_bytes: diskBytes } } as InstanceJson
  }
  const survey = async (instances: InstanceJson[], apply = true) => {
    const { volumes, left } = await surveyQuotas(quotas, root, instances, { apply })
    return {
      left,
      of: (subdomain: string) => volumes.find(each => each.subdomain === subdomain) ?? assert.fail(subdomain),
    }
  }
  const [acme, globex, free] = [make('acme'), make('globex'), make('free', null)]
  const strange = Buffer.concat([Buffer.from(`${root}/acme/deep/`), Buffer.from([0xff, 0x41])])
  mkdirSync(join(root, 'acme/deep/deeper'), { recursive: true })
  writeFileSync(strange, 'x')
  mkdirSync(join(root, '.control'))
  symlinkSync(join(root, '.control'), join(root, 'acme/link'))

  const before = await survey([acme, globex, free], false)
  assert.deepEqual(
    [before.of('acme').state, projectOf(volume('acme')), before.of('free').state],
    ['to set', 0, 'no limit'],
  )
  const set = await survey([acme, globex, free])
  assert.deepEqual(
    [set.of('acme').state, set.of('acme').quota?.bytes, sizeOf(volume('acme'))],
    ['enforced', quota, quota],
  )
  const project = projectOf(volume('acme'))
  assert.ok(project > 2 ** 20 && project !== projectOf(volume('globex')))
  for (const path of [strange, join(root, 'acme/deep/deeper')]) assert.equal(projectOf(path), project)
  assert.equal(projectOf(join(root, '.control')), 0, 'links are not followed')
  const again = await survey([acme, globex, free], false)
  assert.equal(again.of('acme').state, 'enforced')

  // What is beyond is refused; the neighbour has all of its own.
  assert.match(asUser('dd', 'if=/dev/zero', `of=${root}/acme/large`, 'bs=1M', 'count=300'), refusal)
  assert.equal(asUser('sh', '-c', `head -c 100M /dev/zero > ${root}/globex/large`), '')
  assert.ok(statSync(join(root, 'acme/large')).size <= quota)

  // A larger plan, then a smaller one than is taken: that only goes down.
  const large = { ...acme, limits: { ...acme.limits, disk_bytes: 2 * limit } }
  assert.equal((await survey([large, globex])).of('acme').quota?.bytes, 192 * mebibyte)
  assert.equal(asUser('sh', '-c', `head -c 40M /dev/zero > ${root}/acme/more`), '')
  const beyond = (await survey([acme, globex])).of('acme')
  assert.ok(
    beyond.quota && beyond.quota.bytes > quota && beyond.quota.bytes <= 192 * mebibyte,
    String(beyond.quota),
  )
  assert.match(beyond.reason ?? '', /beyond its quota/)
  assert.equal((await survey([acme, globex])).of('acme').quota?.bytes, beyond.quota.bytes)
  rmSync(join(root, 'acme/more'))
  rmSync(join(root, 'acme/large'))
  assert.equal((await survey([acme, globex])).of('acme').quota?.bytes, quota)

  // A restore: the copy takes the volume's place by a new name, and the one before stays beside it for a while.
  execFileSync('cp', ['-a', volume('globex'), join(root, '.control/copy')])
  const old = projectOf(volume('globex'))
  renameSync(volume('globex'), join(root, '.control/previous'))
  renameSync(join(root, '.control/copy'), volume('globex'))
  const restored = await survey([acme, globex])
  assert.deepEqual([restored.of('globex').state, restored.left], ['enforced', 0])
  assert.ok((restored.of('globex').usedBytes ?? 0) >= 100 * mebibyte)
  assert.ok(![0, old].includes(projectOf(volume('globex'))))
  rmSync(join(root, '.control/previous'), { recursive: true })
  await eventually('its project is free', async () => (await survey([acme, globex])).left === 1, patiently)

  // A purge, and what is not ours.
  rmSync(volume('acme'), { recursive: true })
  await eventually('its project is free', async () => (await survey([globex])).left === 1, patiently)
  assert.equal((await survey([globex])).left, 0)
  writeFileSync(join(volume('free'), identityFile), 'id-another\n')
  const foreign = make('foreign')
  execFileSync('chattr', ['-p', '7', volume('foreign')])
  const others = await survey([{ ...free, limits: acme.limits }, foreign])
  assert.match(others.of('free').reason ?? '', /is the volume of another instance/)
  assert.match(others.of('foreign').reason ?? '', /belongs to project 7/)
  execFileSync('chattr', ['-p', '7', '+P', root])
  assert.match((await survey([globex])).of('globex').reason ?? '', /all of .* counts for project 7 already/)
}

test('a job writes without end', async t => {
  mkdirSync(dataRoot)
  chownSync(dataRoot, user, user)
  const fleet = await startLonghouse(t, {
    ...{ driver: 'process', dataRoot, user },
    env: {
      ...environment,
      INSTANCE_DISK: '64m',
      HEALTH_INTERVAL: '60s',
      HEALTH_TIMEOUT: '30s',
      PROVISIONER_DEADLINE: '300s',
    },
  })
  const { password } = await fleet.provision('acme')
  const { say } = operator(t, {
    LONGHOUSE_URL: `http://control.localhost:${fleet.port}`,
    LONGHOUSE_TOKEN: fleet.token,
    LONGHOUSE_DATA_ROOT: dataRoot,
    ...environment,
  })
  await part(t, 'the command sets its quota', async () => {
    const applied = await say(['quotas', 'apply'])
    assert.equal(applied.code, 0, applied.err)
    assert.match(applied.out, /^acme +enforced .* 64 MiB +128 MiB +\d+$/m)
  })
  await part(t, 'it stops at its quota', async () => await fill(await fleet.login('acme', password)))
})

async function fill(call: Awaited<ReturnType<Longhouse['login']>>): Promise<void> {
  const volume = join(dataRoot, 'acme')
  const run = async (id: string): Promise<Run> => {
    const started = await call(`/api/jobs/${id}/run`, { method: 'POST', body: {} })
    assert.equal(started.status, 202, started.text)
    const { id: runId } = started.json<Run>()
    return await eventually(
      `${id} has ended`,
      async () => {
        const shown = (await call(`/api/runs/${runId}`)).json<Run>()
        return !['queued', 'running'].includes(shown.status) && shown
      },
      patiently,
    )
  }
  const use = async () => (await call('/api/disk')).json<Use>()
  const saved = await call('/api/jobs/repo/files/manifest.ts', { method: 'PUT', body: { content: manifest } })
  assert.ok(saved.status < 300, saved.text)
  const isLive = async () => (await call('/api/jobs')).text.includes('without-end')
  await eventually('the jobs are live', isLive, patiently)

  // The system lets the owner of a file take it out of its quota; runs may not.
  const { result, error } = await run('leaves')
  assert.equal(error, null)
  for (const [status, words] of result as [number, string][]) {
    assert.equal(status, 1)
    assert.match(words, /Operation not permitted/)
  }
  const mine = join(volume, 'jobs/data/mine')
  assert.equal(projectOf(mine), projectOf(volume))
  assert.equal(asUser('chattr', '-p', '0', mine), '')

  const free = statfsSync(dataRoot).bavail
  const ended = await run('without-end')
  assert.match(ended.error?.message ?? ended.status, /the run was ended\. The instance uses .* of the 64 MiB/)
  // Whatever it left free.
  assert.match(asUser('fallocate', '-l', '400M', join(volume, 'jobs/data/large')), /No space left on device/)
  const full = await use()
  assert.equal(full.level, 'beyond')
  assert.equal(full.quota?.bytes, quota)
  assert.ok(full.used_bytes > limit && full.used_bytes <= quota + mebibyte, String(full.used_bytes))
  assert.ok((free - statfsSync(dataRoot).bavail) * 4096 <= quota)
  const page = await call('/settings/disk', { headers: { Accept: 'text/html' } })
  assert.match(page.text, /The file system refuses writes beyond 128 MiB/)
  assert.match((await run('quick')).error?.message ?? '', /the run was not started/)

  const freed = await call('/api/disk/delete-job-data', { method: 'POST' })
  assert.ok(freed.status < 300, freed.text)
  assert.equal((await run('quick')).result, 1)
  const records = new DatabaseSync(join(volume, 'longhouse.db'), { readOnly: true })
  assert.deepEqual({ ...records.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' })
  records.close()
}
