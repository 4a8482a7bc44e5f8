import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryFolder, memoryPlace, temporaryFolder } from '../../src/testing/folder.ts'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { obstacleIn } from '../git/work-tree/obstacle.ts'
import { scanTree } from '../jobs/live-set/tree.ts'

const files = { 'manifest.ts': oneJob("() => 'fine'") }
const job = (value: string) => oneJob(`() => '${value}'`)

test('ten thousand files are not committed, and the page names their folder; the code goes live', async t => {
  const { engine, write, path, run } = await startInstance(t, { files, place: memoryPlace() })
  mkdirSync(path('store/deep'), { recursive: true })
  for (let i = 0; i < 10_001; i++) writeFileSync(path(`store/deep/${i}`), '')
  write('manifest.ts', job('changed'))
  await until(async () => (await run('job')).result === 'changed', 'the change is live')
  const repo = await engine.repo()
  assert.match(
    repo.obstacle ?? '',
    /^the jobs repo has more than 10000 files, most of them in store\/deep\/; put data into .*\.gitignore/,
  )
  assert.equal(repo.dirty, true)
  assert.match(repo.head?.message ?? '', /Add manifest\.ts$/)
  write('.gitignore', 'store/\n')
  await until(async () => {
    await engine.reload()
    return engine.manifest().commit
  }, 'the change is committed')
  const after = await engine.repo()
  assert.deepEqual([after.obstacle, after.dirty], [null, false])
})

test('a file too large for a commit is named; an ignored one, or one in a packages folder, blocks nothing', async t => {
  const { engine, write, path, run } = await startInstance(t, { files })
  write('big.bin', '')
  truncateSync(path('big.bin'), 60 * 1024 * 1024)
  write('manifest.ts', job('beside'))
  await until(async () => (await run('job')).result === 'beside', 'the change is live')
  assert.match((await engine.repo()).obstacle ?? '', /more than 50 MiB changed .* such as big\.bin/)
  mkdirSync(path('node_modules'), { recursive: true })
  renameSync(path('big.bin'), path('node_modules/big.bin'))
  write('data/big.bin', '')
  truncateSync(path('data/big.bin'), 60 * 1024 * 1024)
  write('.gitignore', '*.bin\n')
  await until(async () => {
    await engine.reload()
    return engine.manifest().commit
  }, 'the change is committed')
  assert.deepEqual([(await engine.repo()).obstacle, (await engine.repo()).dirty], [null, false])
})

test('an ignored folder with tracked files is counted, because git reads it', async t => {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'data'))
  for (let i = 0; i < 12; i++) writeFileSync(join(dir, 'data', String(i)), '')
  const knowledge = (tracked: string[]) => ({
    isIgnored: async (path: string) => path.startsWith('data'),
    tracked: async () => tracked,
  })
  const bounds = { files: 10, bytes: 1000 }
  assert.equal(await obstacleIn(dir, knowledge([]), bounds), null)
  assert.match((await obstacleIn(dir, knowledge(['data/1']), bounds)) ?? '', /most of them in data\//)
})

test('a folder of data whose name is not UTF-8 is in the way of no commit', async t => {
  const { engine, path, write } = await startInstance(t, { files: { ...files, '.gitignore': 'data/\n' } })
  await until(() => engine.manifest().commit, 'the first commit')
  mkdirSync(path('data'), { recursive: true })
  const folder = Buffer.concat([Buffer.from(`${path('data')}/caf`), Buffer.from([0xe9])])
  mkdirSync(folder)
  writeFileSync(Buffer.concat([folder, Buffer.from('/file')]), '')
  const before = engine.manifest().commit
  write('readme.md', 'another')
  await until(async () => {
    await engine.reload()
    return engine.manifest().commit !== before
  }, 'the change is committed')
  assert.deepEqual([(await engine.repo()).obstacle, (await engine.repo()).dirty], [null, false])
})

test('a scan of very many files includes all code, and a limited number of others', async t => {
  const dir = memoryFolder(t)
  for (let i = 0; i < 10_100; i++) writeFileSync(join(dir, `${i}.txt`), '')
  for (let i = 0; i < 200; i++) writeFileSync(join(dir, `${i}.ts`), '')
  const tree = await scanTree(dir)
  const names = [...tree.files.keys()]
  assert.equal(names.filter(name => name.endsWith('.ts')).length, 200)
  assert.equal(names.filter(name => name.endsWith('.txt')).length, 10_000)
  const again = await scanTree(dir)
  assert.equal(again.stamp, tree.stamp)
})

test('pipes and devices in place of git’s files block neither the runtime nor a job', async t => {
  const { engine, path, run, write } = await startInstance(t, { files })
  await until(() => engine.manifest().commit, 'the first commit')
  const head = readFileSync(path('.git/HEAD'))
  for (const plant of [
    () => execFileSync('mkfifo', [path('.git/HEAD')]),
    () => symlinkSync('/dev/zero', path('.git/HEAD')),
    () => writeFileSync(path('.git/HEAD'), 'ref: refs/../../../../../../../../dev/zero\n'),
    () => {
      writeFileSync(path('.git/HEAD'), head)
      rmSync(path('.git/refs/heads/main'))
      execFileSync('mkfifo', [path('.git/refs/heads/main')])
    },
  ]) {
    rmSync(path('.git/HEAD'))
    plant()
    assert.equal((await engine.repo().catch(() => ({ head: null }))).head, null)
    assert.equal((await run('job')).result, 'fine')
  }
  rmSync(path('.git'), { recursive: true })
  execFileSync('mkfifo', [path('pipe.ts')])
  write('manifest.ts', job('later'))
  await until(async () => (await run('job')).result === 'later', 'a change goes live')
  await until(() => engine.manifest().commit, 'and is committed')
})

for (const [what, plant] of [
  ['a file', (folder: string) => writeFileSync(folder, 'mine')],
  ['a link', (folder: string, elsewhere: string) => symlinkSync(elsewhere, folder)],
] as const) {
  test(`${what} in place of the jobs folder is reported, and nothing is written through it`, async t => {
    const instance = await startInstance(t, { files })
    await until(() => instance.engine.manifest().commit, 'the first commit')
    const elsewhere = temporaryFolder(t)
    const folder = join(instance.dir, 'jobs')
    rmSync(folder, { recursive: true })
    plant(folder, elsewhere)
    await instance.restart()
    const { status, errors } = instance.engine.manifest()
    assert.deepEqual([status, errors.length], ['error', 1])
    assert.match(errors[0]?.message ?? '', /^"jobs" in the volume is (a link|no folder); move it away/)
    assert.equal((await instance.engine.repo()).initialized, false)
    await assert.rejects(instance.engine.initRepo(), { code: 'jobs-folder', status: 409 })
    assert.deepEqual(readdirSync(elsewhere), [])
    assert.equal(lstatSync(folder).isDirectory(), false)
    rmSync(folder)
    const repo = await instance.engine.initRepo()
    assert.equal(repo.initialized, true)
    assert.equal(instance.engine.manifest().status, 'ok')
  })
}

test('the types of longhouse/jobs are not written into a linked folder', async t => {
  const instance = await startInstance(t, { files })
  const elsewhere = temporaryFolder(t)
  rmSync(instance.path('node_modules'), { recursive: true })
  symlinkSync(elsewhere, instance.path('node_modules'))
  await instance.restart()
  assert.deepEqual(readdirSync(elsewhere), [])
  rmSync(instance.path('node_modules'))
  await instance.restart()
  assert.equal(existsSync(instance.path('node_modules/longhouse/jobs.d.ts')), true)
})
