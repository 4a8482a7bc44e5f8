import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs, { chmodSync, mkdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import git from 'isomorphic-git'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { stageFiles } from '../git/work-tree/commit.ts'

/** A repo as an older version left it: it had pulled executable bits, and neither files nor index have them. */
async function pulledWithoutBits(t: TestContext) {
  const dir = join(temporaryFolder(t), 'jobs')
  mkdirSync(join(dir, 'bin'), { recursive: true })
  await git.init({ fs, dir, defaultBranch: 'main' })
  const run = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', ...args], {
      cwd: dir,
      encoding: 'utf8',
    })
  for (const name of ['pulled', 'plain', 'own']) writeFileSync(join(dir, 'bin', name), name)
  run('add', '.')
  run('update-index', '--chmod=+x', 'bin/pulled')
  run('commit', '--quiet', '--message=Pulled')
  run('update-index', '--chmod=-x', 'bin/pulled')
  return { dir, run, mode: (path: string) => statSync(join(dir, path)).mode & 0o777 }
}

test('an executable bit that an older version did not set on the file is not an edit', async t => {
  const { dir, run, mode } = await pulledWithoutBits(t)
  assert.deepEqual(await stageFiles(dir), { staged: null, refused: null })
  assert.deepEqual([mode('bin/pulled'), mode('bin/plain')], [0o755, 0o644])
  assert.equal(run('config', 'core.filemode'), 'true\n')
  assert.equal(run('status', '--porcelain'), '')

  // From now on it counts, either way.
  chmodSync(join(dir, 'bin/pulled'), 0o644)
  chmodSync(join(dir, 'bin/own'), 0o755)
  const { staged } = await stageFiles(dir)
  assert.deepEqual(
    [...(staged?.changes ?? [])].map(([path, { after }]) => [path, after?.mode]),
    [
      ['bin/own', '100755'],
      ['bin/pulled', '100644'],
    ],
  )
})

test('the executable bit is not set on the target of a link', async t => {
  const { dir } = await pulledWithoutBits(t)
  const elsewhere = join(dir, '../elsewhere')
  renameSync(join(dir, 'bin'), elsewhere)
  symlinkSync(elsewhere, join(dir, 'bin'))
  await stageFiles(dir)
  assert.equal(statSync(join(elsewhere, 'pulled')).mode & 0o777, 0o644)
})
