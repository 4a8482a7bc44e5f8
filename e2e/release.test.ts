import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '../src/testing/folder.ts'

const root = join(import.meta.dirname, '..')
const changelog =
  '# Changelog\n\n## Unreleased\n\n- Something new.\n\n## 0.0.9 - 2026-01-01\n\n- Something old.\n'

/** A repository with what a release touches, and the script itself. */
function workplace(t: TestContext, log = changelog) {
  const dir = temporaryFolder(t)
  mkdirSync(join(dir, 'scripts'))
  for (const file of ['scripts/release.mjs', 'scripts/setup.mjs', 'package.json', 'package-lock.json'])
    copyFileSync(join(root, file), join(dir, file))
  writeFileSync(join(dir, 'CHANGELOG.md'), log)
  const git = (...args: string[]) => {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com']
    const done = spawnSync('git', [...identity, ...args], { cwd: dir, encoding: 'utf8' })
    assert.equal(done.status, 0, done.stderr)
    return done.stdout.trim()
  }
  git('init', '--quiet', '--initial-branch', 'main')
  git('config', 'user.name', 'Ada')
  git('config', 'user.email', 'ada@example.com')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Before')
  const release = (...args: string[]) =>
    spawnSync(process.execPath, [join(dir, 'scripts/release.mjs'), ...args, '--without-images'], {
      cwd: dir,
      encoding: 'utf8',
    })
  const read = (file: string) => readFileSync(join(dir, file), 'utf8')
  return { dir, git, release, read }
}

test('a release moves the changelog entries, sets the version, commits and tags, and pushes nothing', t => {
  const { git, release, read } = workplace(t)
  const done = release('7.8.9')
  assert.equal(done.status, 0, done.stderr)
  assert.match(done.stdout, /git push origin main v7\.8\.9/)
  assert.match(
    read('CHANGELOG.md'),
    /^# Changelog\n\n## Unreleased\n\n## 7\.8\.9 - \d{4}-\d\d-\d\d\n\n- Something new\.\n\n## 0\.0\.9/,
  )
  for (const file of ['package.json', 'package-lock.json'])
    assert.equal((JSON.parse(read(file)) as { version: string }).version, '7.8.9')
  assert.equal(git('diff', '--name-only', 'HEAD~1'), 'CHANGELOG.md\npackage-lock.json\npackage.json')
  // Nothing but the version changed in them.
  assert.equal(git('diff', '--numstat', 'HEAD~1', '--', 'package.json'), '1\t1\tpackage.json')
  assert.equal(git('diff', '--numstat', 'HEAD~1', '--', 'package-lock.json'), '2\t2\tpackage-lock.json')
  assert.equal(git('tag', '--points-at', 'HEAD'), 'v7.8.9')
  assert.equal(git('status', '--porcelain'), '')
})

test('a release reports every obstacle at once, and changes nothing', t => {
  const { dir, git, release } = workplace(t, changelog.replace('- Something new.\n\n', ''))
  git('checkout', '--quiet', '-b', 'side')
  git('tag', 'v0.0.1')
  writeFileSync(join(dir, 'stray'), '')
  const head = git('rev-parse', 'HEAD')
  const older = release('0.0.1')
  assert.equal(older.status, 1)
  for (const words of [
    /the version must be newer than 0\.1\.0/,
    /check out main first/,
    /commit or stash your changes first/,
    /the tag v0\.0\.1 exists/,
    /CHANGELOG\.md says nothing under "Unreleased"/,
    /Nothing was changed/,
  ])
    assert.match(older.stderr, words)
  assert.match(release('1.2').stderr, /the version must be three numbers such as 1\.4\.0, not "1\.2"/)
  assert.deepEqual([git('rev-parse', 'HEAD'), git('status', '--porcelain')], [head, '?? stray'])
})
