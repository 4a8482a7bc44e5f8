import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { until } from '../engine.fixture.ts'
import { connect, manyJobs, startSynced } from './sync.fixture.ts'

test('a failing remote is reported, jobs keep running, and the next sync catches up', async t => {
  const instance = await startSynced(t)
  const { server, sync, run, head, remote } = instance
  const before = head()
  const theirs = server.edit({ 'new.txt': 'x' })
  const ills = [
    ['down', /closed the connection|cannot be reached/],
    ['garbage', /remote does not answer as a git server/],
    ['500', /answered 503/],
    ['moved', /has moved to https:\/\/elsewhere\.example\.com\/jobs\.git/],
    ['cut', /closed the connection/],
    ['short', /closed the connection in the middle of its answer/],
  ] as const
  let lastWait = 0
  for (const [ill, words] of ills) {
    server.ill = ill
    const { error, nextSyncAt } = await sync()
    assert.match(error ?? '', words, ill)
    assert.ok(!(error ?? '').includes(server.token))
    assert.equal(head(), before)
    const wait = (nextSyncAt ?? 0) - Date.now()
    assert.ok(wait > lastWait, `${ill}: the wait grows, ${wait}`)
    lastWait = wait
  }
  assert.equal((await run('job-1')).result, 1)
  // A remote that never answers is given up after a while, which is short for this case only.
  server.ill = 'slow'
  await instance.restart({ syncLimitMs: 300 })
  assert.match((await sync()).error ?? '', /takes too long/)
  server.ill = null
  await instance.restart()
  const token = server.token
  server.token = 'another'
  assert.match((await sync()).error ?? '', /refused the token \(401\)/)
  server.token = token
  server.readOnly = true
  await sync()
  assert.equal(head(), theirs, 'reading is enough for a fast-forward')
  server.readOnly = false
  assert.equal((await sync()).error, null)
  assert.equal((await remote()).lastSyncAt !== null, true)
  assert.equal(instance.engine.manifest().status, 'ok')
})

test('commits that could not be pushed are pushed when the remote is back', async t => {
  const { engine, server, sync, write, read, head } = await startSynced(t)
  server.edit({ 'new.txt': 'x' })
  server.readOnly = true
  write('manifest.ts', manyJobs(5))
  await until(() => engine.jobs().length === 5, 'it is live')
  assert.match((await sync()).error ?? '', /refused \(403\)/)
  assert.equal(read('new.txt'), 'x', 'what they have is here all the same')
  server.readOnly = false
  assert.equal((await sync()).error, null)
  assert.equal(server.head(), head())
  assert.match(server.read('manifest.ts'), /job-5/)
})

test('a deleted branch is not recreated, and one that never existed is an error', async t => {
  const instance = await startSynced(t)
  const { engine, server, sync, head } = instance
  const before = head()
  server.git('branch', '-m', 'main', 'elsewhere')
  assert.match((await sync()).error ?? '', /main is gone from the remote/)
  assert.equal(server.git('branch', '--list', 'main'), '')
  await engine.sync.disconnect()
  await connect(instance, server)
  assert.match((await engine.repo()).remote.error ?? '', /has no branch main; it has elsewhere/)
  assert.equal(head(), before)
})

test('a local file that does not load is not overwritten; the sync waits for it', async t => {
  const { engine, server, sync, write, read, head, run } = await startSynced(t)
  write('manifest.ts', 'half of a senten(')
  await until(() => engine.manifest().status === 'error', 'it is refused')
  const before = head()
  server.edit({ 'manifest.ts': manyJobs(6), 'new.txt': 'x' })
  assert.match((await sync()).error ?? '', /manifest\.ts has changes here that are not committed/)
  assert.equal(read('manifest.ts'), 'half of a senten(')
  assert.equal(read('new.txt'), null, 'all of it or nothing')
  assert.equal(head(), before)
  assert.equal((await run('job-4')).result, 4)
  write('manifest.ts', `// now it loads\n${manyJobs(4)}`)
  await until(() => engine.manifest().status === 'ok', 'it loads')
  assert.equal((await sync()).conflict, null)
  assert.match(read('manifest.ts') ?? '', /now it loads[\s\S]*job-6/)
})

test('a local file that git ignores is not overwritten by the remote', async t => {
  const { server, sync, write, read } = await startSynced(t)
  write('.gitignore', 'node_modules/\n.env\n')
  write('.env', 'KEY=mine\n')
  write('manifest.ts', manyJobs(4, '// saved\n'))
  await until(async () => (await sync()).error === null && server.read('.gitignore').includes('.env'), 'sent')
  server.edit({ '.gitignore': 'node_modules/\n', '.env': 'KEY=theirs\n' })
  assert.match((await sync()).error ?? '', /\.env has changes here/)
  assert.equal(read('.env'), 'KEY=mine\n')
  write('.env', 'KEY=theirs\n')
  assert.equal((await sync()).error, null, 'the same content is no obstacle')
})

test('no edit saved during pulls is lost', async t => {
  const { server, sync, write, read, git, engine } = await startSynced(t)
  const saved: string[] = []
  let going = true
  let since = performance.now()
  const writer = (async () => {
    for (let i = 0; going; i++) {
      const content = `a\nb\nc\nd\ne\nsaved here ${i}\n`
      write('notes.txt', content)
      write(`own-${i % 3}.txt`, `${i}\n`)
      saved.push(content)
      // The longer a pull takes, the rarer the saves: on a slow machine, it would never find the files at rest.
      await new Promise(done => setTimeout(done, 15 + (performance.now() - since) / 8))
    }
  })()
  for (let i = 0; i < 4; i++) {
    server.edit({ 'notes.txt': `pushed ${i}\na\nb\nc\nd\ne\n`, [`their-${i}.txt`]: `${i}\n` })
    since = performance.now()
    await sync()
  }
  going = false
  await writer
  const last = saved.at(-1) ?? ''
  const kept = read('notes.txt') ?? ''
  assert.ok(kept.includes(last.split('\n').at(-2) ?? ''), `the last save is there: ${kept}`)
  await until(async () => {
    write('manifest.ts', manyJobs(4, `// ${Date.now()}\n`))
    await engine.reload()
    const state = await sync()
    return git('status', '--porcelain') === '' && (state.error === null || state.conflict)
  }, 'everything is committed')
  const { conflict } = (await engine.repo()).remote
  if (conflict)
    assert.deepEqual(
      conflict.files.map(file => file.path),
      ['notes.txt'],
    )
  else for (let i = 0; i < 4; i++) assert.equal(read(`their-${i}.txt`), `${i}\n`)
  assert.equal(git('fsck', '--strict', '--no-dangling'), '')
})

test('only a webhook with a valid signature starts a sync', async t => {
  const instance = await startSynced(t)
  const { engine, server, head } = instance
  const secret = await connect(instance, server)
  const theirs = server.edit({ 'new.txt': 'x' })
  const body = Buffer.from('{"ref":"refs/heads/main"}')
  const sign = (key: string) => `sha256=${createHmac('sha256', key).update(body).digest('hex')}`
  for (const wrong of [
    '',
    'sha256=',
    sign('another'),
    sign(secret).slice(0, -1),
    sign(secret).toUpperCase(),
  ]) {
    assert.equal(engine.sync.webhook(body, wrong), false)
  }
  assert.equal(engine.sync.webhook(Buffer.from('{}'), sign(secret)), false)
  assert.equal(engine.sync.webhook(body, sign(secret)), true)
  await until(() => head() === theirs, 'the push is here')
  await engine.sync.disconnect()
  assert.equal(engine.sync.webhook(body, sign(secret)), false)
})
