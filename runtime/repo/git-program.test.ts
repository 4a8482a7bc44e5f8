import assert from 'node:assert/strict'
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { openRepo } from './repo.ts'

function startRepo(t: TestContext) {
  const folder = temporaryFolder(t)
  const dir = join(folder, 'jobs')
  mkdirSync(dir)
  let looks = 0
  const repo = openRepo({
    dir,
    starterMark: join(folder, 'starter'),
    cacheDir: join(folder, 'cache'),
    treeStamp: () => ++looks,
  })
  t.after(() => repo.stop())
  return { repo, dir, folder }
}

test('a request open while the folder is replaced is answered, and so is the next one', async t => {
  const { repo, dir, folder } = startRepo(t)
  await repo.init()
  for (let i = 0; i < 3; i++) {
    const before = Promise.allSettled([repo.status(), repo.status()])
    // They are asked; the program has not answered yet.
    await Promise.resolve()
    renameSync(dir, join(folder, `before-${i}`))
    mkdirSync(dir)
    await repo.init()
    for (const answer of await before) {
      const why = answer.status === 'rejected' ? String(answer.reason) : ''
      assert.doesNotMatch(why, /program ended/)
    }
    assert.equal((await repo.status()).branch, 'main')
  }
})

test('a request open while the repo closes is answered; a later one is refused', async t => {
  const { repo } = startRepo(t)
  await repo.init()
  const open = repo.status()
  await Promise.resolve()
  await Promise.all([repo.stop(), open])
  assert.equal((await open).branch, 'main')
  await assert.rejects(repo.status(), /was stopped/)
})

test('a commit staged in a program that has ended is refused, and not reported as empty', async t => {
  const { repo, dir, folder } = startRepo(t)
  await repo.init()
  writeFileSync(join(dir, 'a.txt'), 'one')
  assert.equal(await repo.stage(), null)
  // Another folder gets another program.
  cpSync(dir, join(folder, 'copy'), { recursive: true })
  renameSync(dir, join(folder, 'before'))
  renameSync(join(folder, 'copy'), dir)
  await assert.rejects(repo.commit(), /stage it again/)
  assert.equal((await repo.status()).dirty, true)
})
