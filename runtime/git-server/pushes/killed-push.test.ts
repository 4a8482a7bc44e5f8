import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { builtRoot } from '../../../src/root.ts'
import { ask } from '../../../src/testing/ask.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { gitClient } from '../../../src/testing/git-client.ts'
import { oneJob } from '../../engine.fixture.ts'
import { volumeProcesses } from '../../process/process-tree.ts'

async function launch(t: TestContext, dir: string) {
  const child = spawn(process.execPath, [builtRoot('runtime.js')], {
    env: {
      PATH: process.env.PATH,
      LONGHOUSE_PORT: '0',
      LONGHOUSE_PASSWORD: 'correct horse',
      LONGHOUSE_DATA_DIR: dir,
      LONGHOUSE_INSTANCE_ID: 'inst_test',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  await eventually('the instance has its first commit', async () => {
    const health = await ask({ port, host: 'localhost', path: '/api/health' })
    return health.status === 200 && existsSync(join(dir, 'jobs/.git/refs/heads/main'))
  })
  return { child, port, ended }
}

test('a push that is cut by a kill leaves nothing behind, and can be repeated', async t => {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'jobs'))
  writeFileSync(join(dir, 'jobs/manifest.ts'), oneJob('() => 1'))
  const first = await launch(t, dir)
  const post = async (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${first.port}${path}`, { method: 'POST', body: JSON.stringify(body), headers })
  const signedIn = await post('/api/auth/password', { password: 'correct horse' })
  const Cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
  const made = await post('/api/tokens', { name: 'git', scope: 'write' }, { Cookie })
  const { secret } = (await made.json()) as { secret: string }
  const client = gitClient(t)
  const { done, commit, path } = client
  const urlOf = (port: number) => `http://git:${secret}@127.0.0.1:${port}/jobs.git`
  await done('', 'clone', '--quiet', urlOf(first.port), 'clone')
  const before = await done('clone', 'rev-parse', 'HEAD')
  const after = await commit('clone', { 'manifest.ts': oneJob('() => 2') })
  const pack = execFileSync('git', ['pack-objects', '--revs', '--stdout', '--quiet'], {
    cwd: path('clone'),
    input: `${after}\n^${before}\n`,
  })

  // Half of the pack, and then nothing more.
  const line = `${before} ${after} refs/heads/main\0report-status side-band-64k`
  const half = request({
    host: '127.0.0.1',
    port: first.port,
    method: 'POST',
    path: '/jobs.git/git-receive-pack',
    headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/x-git-receive-pack-request' },
  })
  half.on('error', () => {})
  half.write(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`)
  half.write(pack.subarray(0, pack.length / 2))
  const received = join(dir, 'received')
  await eventually(
    'the push is being received',
    () =>
      existsSync(received) &&
      readdirSync(received, { recursive: true, encoding: 'utf8' }).some(name => /tmp_pack/.test(name)),
  )
  first.child.kill('SIGKILL')
  await first.ended

  const second = await launch(t, dir)
  assert.ok(!existsSync(received), 'what was received is gone')
  await eventually('no process of the first one is left', () =>
    volumeProcesses(dir).every(pid => pid === second.child.pid || !commandIsGit(pid)),
  )
  await done('clone', 'remote', 'set-url', 'origin', urlOf(second.port))
  assert.equal((await done('clone', 'ls-remote', '--quiet', 'origin', 'main')).split('\t')[0], before)
  const again = await client.push('clone')
  assert.equal(again.code, 0, again.text)
  assert.match(again.text, /remote: Live at/)
})

function commandIsGit(pid: number): boolean {
  try {
    return /index-pack|receive\.js/.test(execFileSync('cat', [`/proc/${pid}/cmdline`], { encoding: 'utf8' }))
  } catch {
    return false
  }
}
