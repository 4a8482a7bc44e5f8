import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startInstance, until } from '../engine.fixture.ts'
import { startGitServer } from './git-server.fixture.ts'
import { connect, manyJobs, startSynced } from './sync.fixture.ts'

test('an empty remote gets the local commits; then each side gets the other’s changes', async t => {
  const { engine, server, sync, remote, read, write, head, git } = await startSynced(t)
  const first = await remote()
  assert.deepEqual([first.error, first.connected, first.ahead, first.behind], [null, true, 0, 0])
  assert.equal(server.head(), head())

  const theirs = server.edit({ 'jobs/new.ts': 'export const a = 1\n', 'notes.txt': null })
  assert.equal((await sync()).error, null)
  assert.equal(head(), theirs, 'fast-forward')
  assert.equal(read('jobs/new.ts'), 'export const a = 1\n')
  assert.equal(read('notes.txt'), null)
  assert.equal(git('status', '--porcelain'), '')

  write('manifest.ts', manyJobs(5))
  await until(() => engine.jobs().length === 5, 'the edit is live')
  await until(() => server.read('manifest.ts').includes('job-5'), 'it is pushed by itself')
  assert.equal(server.head(), head())
  assert.equal(git('fsck', '--strict', '--no-dangling'), '')
})

test('edits of both sides in different places are merged, live and on the remote', async t => {
  const { engine, server, sync, read, write, head, git } = await startSynced(t)
  server.edit({ 'notes.txt': 'a\nb\nc\nd\nE\n', 'theirs.txt': 'x' })
  write('notes.txt', 'A\nb\nc\nd\ne\n')
  write('manifest.ts', manyJobs(4, '// mine\n'))
  await until(() => engine.manifest().status === 'ok' && git('log', '-1', '--format=%s') !== '', 'committed')
  assert.equal((await sync()).error, null)
  assert.equal(read('notes.txt'), 'A\nb\nc\nd\nE\n')
  assert.equal(read('theirs.txt'), 'x')
  assert.match(read('manifest.ts') ?? '', /mine/)
  assert.equal(server.head(), head())
  assert.equal(git('status', '--porcelain'), '')
  assert.equal(git('log', '-1', '--format=%p').split(' ').length, 2, 'a merge commit')
  assert.equal(git('fsck', '--strict', '--no-dangling'), '')
})

test('starter files are replaced by the remote’s files, whatever its history', async t => {
  const server = await startGitServer(t)
  server.edit({ 'manifest.ts': manyJobs(3), 'package.json': '{ "type": "module" }\n' })
  const instance = await startInstance(t)
  const starter = (await instance.engine.repo()).head?.commit
  await connect(instance, server)
  const { remote, head } = await instance.engine.repo()
  assert.equal(remote.error, null)
  assert.equal(head?.commit, server.head())
  assert.deepEqual(
    instance.engine.jobs().map(job => job.id),
    ['job-1', 'job-2', 'job-3'],
  )
  const kept = readFileSync(
    join(instance.path('.'), '.git/refs/longhouse/kept', starter?.slice(0, 12) ?? ''),
    'utf8',
  )
  assert.equal(kept.trim(), starter)
})

test('the token is nowhere in plain text: in no file of the volume, no commit, no configuration, no address', async t => {
  const { dir, server, sync } = await startSynced(t)
  server.edit({ 'more.txt': 'x' })
  assert.equal((await sync()).error, null)
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  for (const entry of files) {
    const content = readFileSync(join(entry.parentPath, entry.name), 'latin1')
    assert.ok(!content.includes(server.token), entry.name)
    assert.ok(!content.includes(Buffer.from(`bob:${server.token}`).toString('base64')), entry.name)
  }
  assert.ok(files.length > 10)
  assert.deepEqual(
    server.asked.filter(line => line.includes(server.token)),
    [],
  )
})

test('a conflict keeps the live set, shows both sides and forces nothing', async t => {
  const { engine, server, sync, read, write, head } = await startSynced(t)
  const theirs = server.edit({ 'notes.txt': 'a\nb\nTHEIRS\nd\ne\n', 'more.txt': 'from elsewhere' })
  write('notes.txt', 'a\nb\nOURS\nd\ne\n')
  write('manifest.ts', manyJobs(4, '// saved\n'))
  const shown = await sync()
  assert.equal(shown.error, null)
  assert.deepEqual(shown.conflict?.files, [
    { path: 'notes.txt', ours: 'a\nb\nOURS\nd\ne\n', theirs: 'a\nb\nTHEIRS\nd\ne\n' },
  ])
  assert.equal(shown.conflict?.kind, 'edits')
  assert.equal(read('notes.txt'), 'a\nb\nOURS\nd\ne\n')
  assert.equal(read('more.txt'), null)
  assert.equal(server.head(), theirs)
  assert.equal(server.head(shown.conflict?.sideBranch ?? ''), head(), 'our side is on the remote too')
  assert.equal(engine.manifest().status, 'ok')

  write('manifest.ts', manyJobs(4, '// saved again\n'))
  await until(
    () => engine.manifest().commit === head() && read('manifest.ts')?.includes('again'),
    'the sync goes on',
  )
  const still = await sync()
  assert.equal(still.conflict?.sideBranch, shown.conflict?.sideBranch)
  assert.equal(server.head(still.conflict?.sideBranch ?? ''), head())
})

for (const [side, expected] of [
  ['ours', 'a\nb\nOURS\nd\ne\n'],
  ['theirs', 'a\nb\nTHEIRS\nd\ne\n'],
] as const) {
  test(`resolving a conflict for ${side} keeps all other changes of both sides`, async t => {
    const { engine, server, sync, remote, read, write, head, git } = await startSynced(t)
    const theirs = server.edit({ 'notes.txt': 'a\nb\nTHEIRS\nd\ne\n', 'more.txt': 'from elsewhere' })
    write('notes.txt', 'a\nb\nOURS\nd\ne\n')
    write('manifest.ts', manyJobs(4, '// saved\n'))
    assert.ok((await sync()).conflict)
    const ours = head()
    await engine.sync.resolve({ side, theirs })
    const after = await remote()
    assert.deepEqual([after.conflict, after.error, after.ahead, after.behind], [null, null, 0, 0])
    assert.equal(read('notes.txt'), expected)
    assert.equal(read('more.txt'), 'from elsewhere')
    assert.match(read('manifest.ts') ?? '', /saved/)
    assert.equal(server.head(), head())
    assert.deepEqual(git('log', '-1', '--format=%P').split(' '), [ours, theirs], 'both are in the history')
    assert.equal(git('status', '--porcelain'), '')
  })
}

test('a file removed on one side and changed on the other is a conflict too', async t => {
  const { engine, server, sync, read, write, head } = await startSynced(t)
  const theirs = server.edit({ 'notes.txt': null })
  write('notes.txt', 'a\nb\nOURS\nd\ne\n')
  write('manifest.ts', manyJobs(4, '// saved\n'))
  assert.deepEqual((await sync()).conflict?.files, [
    { path: 'notes.txt', ours: 'a\nb\nOURS\nd\ne\n', theirs: null },
  ])
  await engine.sync.resolve({ side: 'theirs', theirs })
  assert.equal(read('notes.txt'), null)
  assert.equal(server.head(), head())
})

test('a pull that would remove more than half of the jobs waits for a confirmation', async t => {
  const { engine, server, sync, remote, write, head } = await startSynced(t)
  const before = head()
  server.edit({ 'manifest.ts': manyJobs(2) })
  assert.equal((await sync()).held, null, 'half of them may go')
  assert.equal(engine.jobs().length, 2)
  const theirs = server.edit({ 'manifest.ts': manyJobs(0, 'jobRegistry\n') })
  const held = await sync()
  assert.deepEqual([held.held?.removes, held.held?.of, held.error], [['job-1', 'job-2'], 2, null])
  assert.equal(engine.jobs().length, 2)
  assert.notEqual(head(), theirs)
  assert.equal(server.head(), theirs)
  assert.deepEqual((await sync()).held?.removes, ['job-1', 'job-2'], 'asking again changes nothing')
  await engine.sync.sync({ confirm: before })
  assert.notEqual(head(), theirs, 'another commit was confirmed')
  write('edit.txt', 'meanwhile')
  await engine.sync.sync({ confirm: theirs })
  assert.equal((await remote()).held, null)
  assert.equal(server.head(), head())
})

test('a pull that does not load removes no job, and its errors are shown', async t => {
  const { engine, server, sync, run } = await startSynced(t)
  server.edit({ 'manifest.ts': 'this is no program(\n' })
  assert.equal((await sync()).error, null)
  assert.equal(engine.manifest().status, 'error')
  assert.equal(engine.jobs().length, 4)
  assert.equal((await run('job-3')).result, 3)
  server.edit({ 'manifest.ts': manyJobs(5) })
  assert.equal((await sync()).error, null)
  assert.equal(engine.jobs().length, 5)
})

test('a remote with a rewritten history is reported, and either side can be kept', async t => {
  const { engine, server, sync, remote, read, write, head, git } = await startSynced(t)
  server.edit({ 'one.txt': '1' })
  await sync()
  const before = head()
  const theirs = server.edit({ 'one.txt': 'rewritten' }, { force: true })
  const shown = await sync()
  assert.equal(shown.conflict?.kind, 'rewritten')
  assert.deepEqual(shown.conflict?.files, [{ path: 'one.txt', ours: '1', theirs: 'rewritten' }])
  assert.equal(head(), before)
  assert.equal(server.head(), theirs)
  assert.equal(server.head(shown.conflict?.sideBranch ?? ''), before)

  write('mine.txt', 'a local edit')
  write('manifest.ts', manyJobs(4, '// saved\n'))
  await until(() => git('status', '--porcelain') === '', 'it is committed')
  await engine.sync.resolve({ side: 'theirs', theirs })
  assert.deepEqual([(await remote()).conflict, (await remote()).error], [null, null])
  assert.equal(read('one.txt'), 'rewritten')
  assert.equal(read('mine.txt'), 'a local edit')
  assert.equal(server.head(), head())
  assert.equal(git('rev-parse', 'HEAD^'), theirs)

  const again = server.edit({ 'one.txt': 'once more' }, { force: true })
  assert.equal((await sync()).conflict?.kind, 'rewritten')
  await engine.sync.resolve({ side: 'ours', theirs: again })
  assert.equal(read('one.txt'), 'rewritten')
  assert.equal(server.head(), head(), 'a commit on top of theirs, and no force')
  assert.ok(server.git('merge-base', '--is-ancestor', again, 'main') === '')
})

test('a remote reset to an older commit waits for a decision too', async t => {
  const { engine, server, sync, read } = await startSynced(t)
  const older = server.head()
  server.edit({ 'one.txt': '1' })
  await sync()
  server.git('update-ref', 'refs/heads/main', older)
  assert.equal((await sync()).conflict?.kind, 'rewritten')
  assert.equal(server.head(), older)
  await engine.sync.resolve({ side: 'ours', theirs: older })
  assert.equal(server.read('one.txt'), '1')
  assert.equal(read('one.txt'), '1')
})
