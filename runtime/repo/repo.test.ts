import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs, { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import git from 'isomorphic-git'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { messageOf } from '../git/changes.ts'

const author = { name: 'Ada', email: 'ada@example.com' }

/** Every file with its content, packages left out. */
function snapshot(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    files
      .map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
      .filter(file => !file.startsWith('node_modules/'))
      .map(file => [file, readFileSync(join(dir, file), 'latin1')]),
  )
}

const files = {
  'manifest.ts': oneJob("() => 'mine'"),
  'notes.txt': 'kept as they are\r\n',
  '.gitignore': 'secret.txt\n',
  'secret.txt': 'not for git',
}

test('a jobs folder without git is used unchanged, and committed', async t => {
  const { engine, run, path } = await startInstance(t, { files })
  await until(() => engine.manifest().commit, 'the commit')
  assert.equal((await run('job')).result, 'mine')
  const now = snapshot(path('.').replace(/\/\.$/, ''))
  assert.deepEqual(
    Object.fromEntries(Object.entries(now).filter(([file]) => !file.startsWith('.git/'))),
    files,
  )
  assert.deepEqual((await git.listFiles({ fs, dir: path('.'), ref: 'HEAD' })).sort(), [
    '.gitignore',
    'manifest.ts',
    'notes.txt',
  ])
  const [commit] = await git.log({ fs, dir: path('.') })
  assert.equal(commit?.commit.author.name, 'Longhouse')
})

test('a clone stays unchanged byte for byte, and its remote is shown without credentials', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-clone-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  const jobs = join(dir, 'jobs')
  for (const [file, content] of Object.entries(files)) {
    fs.mkdirSync(jobs, { recursive: true })
    fs.writeFileSync(join(jobs, file), content)
  }
  await git.init({ fs, dir: jobs, defaultBranch: 'trunk' })
  await git.add({ fs, dir: jobs, filepath: ['manifest.ts', 'notes.txt', '.gitignore'] })
  const head = await git.commit({ fs, dir: jobs, message: 'Mine', author })
  await git.addRemote({ fs, dir: jobs, remote: 'origin', url: 'https://ada:token@example.com/jobs.git' })
  const before = snapshot(jobs)

  const { createEngine } = await import('../engine.fixture.ts')
  const { openVolume } = await import('../open-volume.ts')
  const { systemClock } = await import('../../src/clock.ts')
  const { silentLog } = await import('../../src/log.ts')
  const engine = await createEngine({
    volume: openVolume(dir),
    log: silentLog,
    clock: systemClock,
    heartbeat: false,
  })
  t.after(() => engine.stop())
  await until(() => engine.manifest().commit, 'the set is live')
  assert.equal(engine.manifest().commit, head)
  const status = await engine.repo()
  assert.deepEqual(
    [status.branch, status.head?.message, status.dirty, status.remote.url, status.remote.connected],
    ['trunk', 'Mine', false, 'https://example.com/jobs.git', false],
  )
  assert.deepEqual(await engine.initRepo(), status, 'initialising what is there changes nothing')
  assert.deepEqual(snapshot(jobs), before)
})

test('a repo on no branch runs jobs without commits; back on a branch, it commits', async t => {
  const { engine, write, path, run } = await startInstance(t, { files })
  const first = await until(() => engine.manifest().commit, 'the commit')
  await git.checkout({ fs, dir: path('.'), ref: first })
  write('manifest.ts', oneJob("() => 'detached'"))
  await until(async () => (await run('job')).result === 'detached', 'the change is live')
  assert.equal(engine.manifest().commit, null)
  assert.equal((await engine.repo()).dirty, true)
  await git.checkout({ fs, dir: path('.'), ref: 'main', noCheckout: true })
  await until(async () => {
    await engine.reload()
    return engine.manifest().commit
  }, 'the change is committed')
  assert.equal((await engine.repo()).head?.message, 'Update manifest.ts')
})

test('commits made with git itself are noticed', async t => {
  const { engine, path } = await startInstance(t, { files })
  await until(() => engine.manifest().commit, 'the commit')
  await engine.repo()
  const own = await git.commit({ fs, dir: path('.'), message: 'By hand', author })
  assert.equal((await engine.repo()).head?.commit, own)
})

test('initialising an emptied repo restores the starter jobs', async t => {
  const { engine, path } = await startInstance(t)
  await until(() => engine.manifest().commit, 'the commit')
  rmSync(path('.').replace(/\/\.$/, ''), { recursive: true })
  await engine.reload()
  assert.equal(engine.manifest().status, 'error')
  assert.equal((await engine.repo()).initialized, false)
  const status = await engine.initRepo()
  assert.equal(status.initialized, true)
  assert.equal(engine.manifest().status, 'ok')
  assert.equal(existsSync(path('manifest.ts')), true)
})

test('git itself reads our commits', async t => {
  const { engine, path } = await startInstance(t)
  await until(() => engine.manifest().commit, 'the commit')
  const output = execFileSync('git', ['-C', path('.'), 'fsck', '--full', '--strict'], { encoding: 'utf8' })
  assert.equal(output, '')
  assert.equal(execFileSync('git', ['-C', path('.'), 'status', '--porcelain'], { encoding: 'utf8' }), '')
})

test('a commit message summarises the changes', () => {
  assert.equal(messageOf([{ kind: 'Update', file: 'manifest.ts' }]), 'Update manifest.ts')
  const many = Array.from({ length: 200 }, (_, i) => ({ kind: 'Add' as const, file: `jobs/${i}.ts` }))
  assert.match(messageOf([...many, { kind: 'Remove', file: 'x' }]), /^Change 201 files\n/)
  assert.match(messageOf(many), /^Add 200 files\n\n- Add jobs\/0\.ts\n[\s\S]*- and 100 more$/)
})
