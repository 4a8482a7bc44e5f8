import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '../../../src/log.ts'
import { manualClock } from '../../../src/testing/clock.ts'
import { oneJob } from '../../engine.fixture.ts'
import { openObjects } from '../../git/objects/objects.ts'
import { startReceiver } from '../pushes/receiver.ts'
import { startServed } from '../served.fixture.ts'
import { openRepacking } from './repacking.ts'
import type { PackLimits } from './stored-objects.ts'

const usual: PackLimits = { packs: 20, loose: 5000, bytes: 24 * 1024 * 1024 }
const never = new AbortController().signal

/** An instance with a pack a commit, as pushes leave them. */
async function packed(t: TestContext, commits: number) {
  const served = await startServed(t, { files: { 'manifest.ts': oneJob('async () => 1') } })
  const jobsDir = served.instance.path('.')
  const folder = join(jobsDir, '.git/objects/pack')
  const clone = await served.clone()
  let before = await served.done(clone, 'rev-parse', 'HEAD')
  const all = [before]
  for (let each = 0; each < commits; each++) {
    const after = await served.commit(clone, { [`notes/${each}.txt`]: `note ${each}\n`.repeat(200) })
    execFileSync('git', ['pack-objects', '--quiet', '--revs', join(folder, 'pack')], {
      cwd: served.path(clone),
      input: `${after}\n^${before}\n`,
    })
    all.push(after)
    before = after
  }
  assert.equal((await served.push(clone)).code, 0)
  const clock = manualClock()
  const repacking = (limits = usual) =>
    openRepacking({
      jobsDir,
      limits,
      start: () => {
        const shown = { branch: null, head: null }
        const cacheDir = join(jobsDir, '../cache')
        const receiver = startReceiver({ jobsDir, cacheDir, shown })
        return {
          repack: async drop =>
            (await receiver.ask({ op: 'repack', repo: receiver.repo, limits, drop })).packs,
          end: receiver.end,
        }
      },
      hasRoom: () => true,
      clock,
      log: silentLog,
    })
  return {
    ...served,
    jobsDir,
    clock,
    repacking,
    count: (ending: string) => readdirSync(folder).filter(name => name.endsWith(ending)).length,
    loose: () => readdirSync(join(jobsDir, '.git/objects')).filter(name => /^[0-9a-f]{2}$/.test(name)).length,
    /** Reads every commit with its files, by isomorphic-git. */
    readAll: async () => {
      const objects = openObjects(jobsDir)
      for (const commit of all) {
        const tree = await objects.tree(await objects.treeOf(commit))
        for (const { mode, oid } of tree) if (mode === '100644') await objects.blob(oid)
      }
    },
    fsck: () =>
      execFileSync('git', ['fsck', '--full', '--strict'], { cwd: jobsDir, stdio: 'pipe' }).toString(),
  }
}

test('many packs become one while others read, and the old ones go an hour later', async t => {
  const repo = await packed(t, 20)
  const { clock, count, readAll } = repo
  const before = count('.pack')
  assert.ok(before >= 20)
  const { round } = repo.repacking()
  let isOver = false
  const reading = (async () => {
    for (let times = 0; !isOver || times < 2; times++) await readAll()
  })()
  await round(never)
  isOver = true
  await reading
  assert.equal(count('.pack'), before + 1)
  assert.equal(count('.obsolete'), before, 'the old packs are marked, and there for those who read them')
  repo.fsck()

  await round(never)
  clock.advance(59 * 60_000)
  await round(never)
  assert.equal(count('.pack'), before + 1)
  clock.advance(60_000)
  await round(never)
  assert.deepEqual([count('.pack'), count('.idx'), count('.obsolete')], [1, 1, 0])
  repo.fsck()
  await readAll()

  await repo.done('', 'clone', '--quiet', await repo.url('read'), 'again')
  assert.equal(await repo.done('again', 'rev-parse', 'HEAD'), await repo.head())
  await repo.commit('again', { 'one-more.txt': 'x' })
  await repo.done('again', 'remote', 'set-url', 'origin', await repo.url('write'))
  assert.equal((await repo.push('again')).code, 0)
  await round(never)
  assert.equal(count('.obsolete'), 0, 'few packs stay as they are')
})

test('single objects are put into a pack, also those that no branch has', async t => {
  const repo = await packed(t, 1)
  const orphan = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: repo.jobsDir, input: 'orphan' })
    .toString()
    .trim()
  assert.ok(repo.loose() > 0)
  await repo.repacking({ ...usual, loose: 0 }).round(never)
  const left = readdirSync(join(repo.jobsDir, '.git/objects')).filter(name => /^[0-9a-f]{2}$/.test(name))
  assert.deepEqual(
    left.flatMap(name => readdirSync(join(repo.jobsDir, '.git/objects', name))),
    [],
  )
  repo.fsck()
  await repo.readAll()
  assert.equal(Buffer.from(await openObjects(repo.jobsDir).blob(orphan)).toString(), 'orphan')
})

test('killed at any moment, the repo is whole and the next round does the rest', async t => {
  const repo = await packed(t, 20)
  const { round } = repo.repacking({ ...usual, loose: 0 })
  for (const ms of [0, 100, 200, 300, 400, 500, 600, 700, 800]) {
    await round(AbortSignal.timeout(ms))
    repo.fsck()
    await repo.readAll()
  }
  await round(never)
  repo.clock.advance(60 * 60_000)
  await round(never)
  repo.clock.advance(60 * 60_000)
  await round(never)
  assert.equal(repo.count('.obsolete'), 0)
  assert.ok(repo.count('.pack') <= 2)
  repo.fsck()
  await repo.readAll()
})
