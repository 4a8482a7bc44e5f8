import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { createEngine, startInstance, until } from '../engine.fixture.ts'
import { starterFiles } from '../git/starter-files.ts'
import { openVolume } from '../open-volume.ts'
import { bootstrapJobs } from './bootstrap.ts'

const git = (dir: string, ...args: string[]) =>
  execFileSync('git', args, { cwd: dir, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
const starters = [...starterFiles().keys()].sort()

function assertStarts(dir: string): string {
  const [first = ''] = git(dir, 'rev-list', '--reverse', 'HEAD').split('\n')
  assert.equal(git(dir, 'log', '-1', '--format=%s', first), 'Begin with the starter jobs')
  assert.deepEqual(git(dir, 'ls-tree', '-r', '--name-only', first).split('\n').sort(), starters)
  for (const [path, content] of starterFiles()) {
    assert.equal(git(dir, 'show', `${first}:${path}`), content.toString().trim(), path)
  }
  return first
}

test('the first commit contains only the starter files, also when a file is edited before it', async t => {
  const dir = temporaryFolder(t)
  const jobs = join(dir, 'jobs')
  const engine = await createEngine({
    volume: openVolume(dir),
    log: silentLog,
    clock: systemClock,
    heartbeat: false,
  })
  t.after(() => engine.stop())
  // In the moment in which the files are there, and long before git is.
  assert.equal(existsSync(join(jobs, '.git')), false)
  writeFileSync(join(jobs, 'README.md'), 'mine\n')
  writeFileSync(join(jobs, 'mine.txt'), 'mine\n')
  rmSync(join(jobs, 'tsconfig.json'))
  await until(() => engine.manifest().commit, 'the first set is committed')
  await engine.reload()
  const first = assertStarts(jobs)
  assert.equal(
    git(jobs, 'diff', '--name-status', first, 'HEAD'),
    'M\tREADME.md\nA\tmine.txt\nD\ttsconfig.json',
  )
  assert.equal(git(jobs, 'status', '--porcelain'), '')
})

test('a setup killed before the first commit, or between files, starts again with the same result', async t => {
  for (const kill of ['before the commit', 'among the files'] as const) {
    const dir = temporaryFolder(t)
    const [jobs, mark] = [join(dir, 'jobs'), join(dir, '.starter')]
    assert.equal(bootstrapJobs(jobs, mark), true)
    if (kill === 'among the files') {
      mkdirSync(`${mark}-files`)
      writeFileSync(join(`${mark}-files`, 'manifest.ts'), readFileSync(join(jobs, 'manifest.ts')))
      rmSync(join(jobs, 'manifest.ts'))
    }
    writeFileSync(join(jobs, 'README.md'), 'mine\n')
    const engine = await createEngine({
      volume: openVolume(dir),
      log: silentLog,
      clock: systemClock,
      heartbeat: false,
    })
    try {
      await until(() => engine.manifest().commit, 'the set is committed')
      const first = assertStarts(jobs)
      assert.equal(git(jobs, 'diff', '--name-status', first, 'HEAD'), 'M\tREADME.md', kill)
      assert.deepEqual(
        readdirSync(dir).filter(name => name.startsWith('.starter')),
        [],
      )
    } finally {
      await engine.stop()
    }
  }
})

test('an existing folder starts with its own files', async t => {
  const files = Object.fromEntries([...starterFiles()].map(([path, content]) => [path, content.toString()]))
  const { engine, path } = await startInstance(t, { files: { ...files, 'mine.txt': 'mine\n' } })
  await until(() => engine.manifest().commit, 'the set is committed')
  assert.equal(git(path('.'), 'rev-list', '--count', 'HEAD'), '1')
  assert.match(git(path('.'), 'log', '-1', '--format=%s'), /^Add \d+ files$/)
})
