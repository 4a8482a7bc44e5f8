import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { registry } from '../engine.fixture.ts'
import { browser, postForm, startWeb } from '../web/web.fixture.ts'

const mebibyte = 1024 ** 2
const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '@daily', func: ${func} })\n`
/** It writes until it is ended. */
const greedy = `async () => {
  for (let file = 0; ; file++) {
    writeFileSync('data/' + file, Buffer.alloc(4 * 1024 * 1024, 1))
    await new Promise(done => setTimeout(done, 20))
  }
}`
const manifest = `import { openSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'\n${registry}
${job('good', '() => { for (let line = 0; line < 2000; line++) console.log("a line that says nothing, and is long"); return 1 }')}${job('greedy', greedy)}
${job(
  'hidden',
  `async () => {
  const file = openSync('data/gone', 'w')
  unlinkSync('data/gone')
  for (;;) {
    writeSync(file, Buffer.alloc(4 * 1024 * 1024, 1))
    await new Promise(done => setTimeout(done, 20))
  }
}`,
)}`

interface Use {
  used_bytes: number
  limit_bytes: number
  level: string
  parts: { name: string; bytes: number }[]
}

async function limited(t: Parameters<typeof startWeb>[0], limit = '64m') {
  const web = await startWeb(t, {
    files: { 'manifest.ts': manifest },
    settings: { LONGHOUSE_DISK_LIMIT: limit },
  })
  const { app, instance } = web
  const Cookie = await web.signIn()
  const ask = async <T>(method: string, path: string, body?: unknown) => {
    const answer = await app.request(path, {
      method,
      headers: { Cookie },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, json: (await answer.json()) as T }
  }
  const use = async () => (await ask<Use>('GET', '/api/disk')).json
  const save = () =>
    ask<{ detail?: string }>('PUT', '/api/jobs/repo/files/more.ts', { content: 'export const a = 1\n' })
  const data = join(instance.dir, 'jobs/data')
  mkdirSync(data, { recursive: true })
  return { ...web, Cookie, ask, use, save, data }
}

test('at its limit an instance refuses what adds, keeps its jobs running with short logs, and lets people delete', async t => {
  const { ask, use, save, data, instance, app, Cookie } = await limited(t)
  assert.equal((await use()).level, 'well')
  writeFileSync(join(data, 'large'), Buffer.alloc(53 * mebibyte, 1))
  const warned = await use()
  assert.deepEqual(
    [warned.level, warned.limit_bytes, warned.parts[0]?.name],
    ['warned', 64 * mebibyte, 'job-data'],
  )
  assert.equal((await save()).status, 200)

  writeFileSync(join(data, 'more'), Buffer.alloc(12 * mebibyte, 1))
  assert.equal((await use()).level, 'full')
  const before = readFileSync(instance.path('more.ts'), 'utf8')
  const refused = await ask<{ type: string; detail: string }>('PUT', '/api/jobs/repo/files/more.ts', {
    content: 'export const b = 2\n',
  })
  assert.equal(refused.status, 507)
  assert.equal(refused.json.type, 'urn:longhouse:problem:disk-limit')
  assert.match(refused.json.detail, /uses 6\d MiB of the 64 MiB .* Nothing was saved\. Delete/)
  assert.equal(readFileSync(instance.path('more.ts'), 'utf8'), before)
  const run = await instance.run('good')
  assert.equal(run.status, 'succeeded')
  assert.ok(instance.engine.log(run.id).length < 20_000)
  assert.match(instance.engine.log(run.id), /left out/)
  const removed = await app.request('/api/jobs/repo/files/more.ts', { method: 'DELETE', headers: { Cookie } })
  assert.equal(removed.status, 200)

  const page = await app.request('/settings/disk', { headers: { Cookie, ...browser } })
  assert.match(await page.text(), /No space left.*Files of jobs/s)
  const stranger = await app.request('/api/disk/delete-job-data', { method: 'POST' })
  assert.equal(stranger.status, 401)
  assert.ok(existsSync(join(data, 'large')))
  const emptied = await postForm(app, '/api/disk/delete-job-data', {}, { Cookie, ...browser })
  assert.equal(emptied.status, 303)
  assert.equal(existsSync(join(data, 'large')), false)
  assert.equal((await save()).status, 200)
})

test('a push and an installation are refused without space, in words', async t => {
  const { ask, use, data, instance, save } = await limited(t)
  writeFileSync(join(data, 'large'), Buffer.alloc(66 * mebibyte, 1))
  await use()
  instance.write('package.json', JSON.stringify({ dependencies: { 'left-pad': '1.3.0' } }))
  const packages = await instance.engine.installPackages()
  assert.match(packages.error ?? '', /uses 6\d MiB of the 64 MiB/)
  rmSync(instance.path('package.json'))
  await ask('POST', '/api/disk/delete-job-data')
  assert.equal((await save()).status, 200)
})

test('a job that fills the disk is ended, and none start until its files are deleted', async t => {
  const { ask, use, instance } = await limited(t)
  const run = await instance.run('greedy')
  assert.equal(run.status, 'failed')
  assert.match(run.error?.message ?? '', /the run was ended\. The instance uses .* of the 64 MiB/)
  assert.equal((await use()).level, 'beyond')
  const next = await instance.run('good')
  assert.match(next.error?.message ?? '', /the run was not started\. The instance uses/)
  assert.equal(next.status, 'failed')
  const emptied = await ask<Use>('POST', '/api/disk/delete-job-data')
  assert.equal(emptied.json.level, 'well')
  assert.equal((await instance.run('good')).status, 'succeeded')
})

test('files that are deleted but open count, and so do folders that no one may read', async t => {
  const { use, data, instance } = await limited(t)
  const run = await instance.run('hidden')
  assert.match(run.error?.message ?? '', /the run was ended\. The instance uses/)
  // As root nothing is hidden; as another user, that user's own folder.
  const as = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  chmodSync(data, 0o777)
  const made = spawnSync(
    'sh',
    [
      '-c',
      `mkdir ${data}/locked && head -c 70000000 /dev/zero > ${data}/locked/file && chmod 0 ${data}/locked`,
    ],
    as,
  )
  if (made.status === 0) assert.equal((await use()).level, 'full')
})
