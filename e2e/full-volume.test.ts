import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Docker from 'dockerode'
import { eventually } from '../src/testing/eventually.ts'
import { type EndedRun, noContainers, startInContainer } from './container.fixture.ts'

const mebibyte = 1024 ** 2
const limitMebibytes = 128

const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '@yearly', timeout: '2m', func: ${func} })\n`

/** Each tries to fill the host in another way. */
const manifest = `import { spawn } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { jobRegistry } from 'longhouse/jobs'
const block = Buffer.alloc(1024 * 1024, 1)
const fill = file => {
  try {
    for (let written = 0; written < 400; written++) appendFileSync(file, block)
    return 'filled'
  } catch (error) {
    return error.code
  }
}
${job(
  'everywhere',
  `() => ['/', '/data', '/data/runs', '/data/packages', '/data/jobs', '/tmp', '/var/tmp', '/dev/shm', '/run', '/app', '/root', '/home']
    .map(folder => [folder, fill(folder + '/filler')])
    .filter(([, code]) => !['EACCES', 'EROFS', 'ENOENT', 'EPERM', 'ERR_ACCESS_DENIED', 'EISDIR', 'ENOTDIR'].includes(code))`,
)}
${job('temporary', "() => { const file = tmpdir() + '/filler'; const end = fill(file); rmSync(file, { force: true }); return end }")}
${job('talks', '() => { for (let line = 0; line < 100_000; line++) console.log("x".repeat(200)) }')}
${job(
  'child',
  `() => {
    spawn('sh', ['-c', 'while :; do head -c 4000000 /dev/zero > data/child-$(date +%s%N); sleep 0.05; done'], { detached: true, stdio: 'ignore' })
    return new Promise(() => setInterval(() => {}, 1000))
  }`,
)}
${job('quick', '() => 1')}`

test('a tenant who tries to fill the host in every way fills only their own limit, and can free it', {
  skip: noContainers,
  timeout: 600_000,
}, async t => {
  const instance = await startInContainer(t, 'filler', { INSTANCE_DISK: `${limitMebibytes}m` })
  instance.save('manifest.ts', manifest)
  await eventually('the jobs are live', async () => (await instance.jobs()).jobs.length === 5)
  const use = async () => (await instance.api('/api/disk')).json<{ used_bytes: number; level: string }>()
  assert.equal((await use()).level, 'well')

  const everywhere = await instance.run('everywhere')
  assert.deepEqual([everywhere.status, everywhere.result], ['succeeded', []])
  assert.deepEqual((await instance.run('temporary')).result, 'ENOSPC')
  assert.equal((await instance.run('talks')).status, 'succeeded')
  const logs = readdirSync(join(instance.volume, 'runs')).map(
    name => statSync(join(instance.volume, 'runs', name)).size,
  )
  assert.ok(Math.max(...logs) < 3 * mebibyte, String(logs))

  const child = await instance.run('child')
  assert.match(child.error?.message ?? '', /the run was ended\. The instance uses .* of the 128 MiB/)
  const after = (await use()).used_bytes
  const refused = await instance.api('/api/jobs/repo/files/more.ts', {
    method: 'PUT',
    body: JSON.stringify({ content: 'export const more = 1\n' }),
  })
  assert.equal(refused.status, 507)
  assert.match(refused.text, /Nothing was saved/)
  const held: EndedRun = await instance.run('quick')
  assert.match(held.error?.message ?? '', /the run was not started/)
  assert.equal((await use()).used_bytes < after + mebibyte, true, 'what it started is gone too')

  const containers = await new Docker().listContainers({
    size: true,
    filters: { name: ['longhouse-filler'] },
  })
  const own = containers.map(each => (each as { SizeRw?: number }).SizeRw ?? 0)
  assert.equal(own.length, 1)
  assert.ok((own[0] ?? 0) < mebibyte, `the container itself took ${own} bytes`)
  await instance.api('/api/disk/delete-job-data', { method: 'POST' })
  assert.equal((await instance.run('quick')).status, 'succeeded')
})
