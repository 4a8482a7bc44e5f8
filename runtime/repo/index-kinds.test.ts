import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { commitStaged, stageFiles } from '../git/work-tree/commit.ts'

/** A repo of real git with three folders, of which one is checked out. */
function sparseRepo(t: TestContext) {
  const dir = temporaryFolder(t)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
      cwd: dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  git('init', '--quiet', '--initial-branch=main')
  for (const folder of ['one', 'two', 'three']) {
    mkdirSync(join(dir, folder))
    writeFileSync(join(dir, folder, 'file.txt'), folder)
  }
  git('add', '--all')
  git('commit', '--quiet', '--message=first')
  git('sparse-checkout', 'set', '--cone', '--sparse-index', 'one')
  return { dir, git }
}

test('a sparse index is refused with instructions, and left unchanged', async t => {
  const { dir, git } = sparseRepo(t)
  assert.match(git('ls-files', '--sparse'), /^two\/$/m)
  const before = readFileSync(join(dir, '.git/index'))
  writeFileSync(join(dir, 'one/file.txt'), 'changed')
  await assert.rejects(
    stageFiles(dir),
    /sparse; git sparse-checkout reapply --no-sparse-index makes it whole/,
  )
  assert.deepEqual(readFileSync(join(dir, '.git/index')), before)

  git('sparse-checkout', 'reapply', '--no-sparse-index')
  const { staged, refused } = await stageFiles(dir)
  assert.deepEqual([refused, [...(staged?.changes.keys() ?? [])]], [null, ['one/file.txt']])
  assert.ok(staged)
  await commitStaged(dir, staged, {})
  assert.equal(git('diff', '--name-status', 'HEAD~1', 'HEAD').trim(), 'M\tone/file.txt')
  assert.equal(git('status', '--porcelain').trim(), '')
})
