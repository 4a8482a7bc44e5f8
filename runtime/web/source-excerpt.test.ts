import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { sourceExcerpt } from './source-excerpt.ts'

test('the excerpt contains the lines around a place', t => {
  const repo = temporaryFolder(t)
  writeFileSync(join(repo, 'manifest.ts'), Array.from({ length: 10 }, (_, i) => `line ${i + 1}`).join('\n'))
  assert.deepEqual(sourceExcerpt(repo, 'manifest.ts', 2), {
    first: 1,
    lines: ['line 1', 'line 2', 'line 3', 'line 4', 'line 5'],
  })
  assert.deepEqual(sourceExcerpt(repo, 'manifest.ts', 10)?.lines.at(-1), 'line 10')
})

test('the excerpt shows nothing outside the repo and nothing of git', t => {
  const folder = temporaryFolder(t)
  const repo = join(folder, 'jobs')
  mkdirSync(join(repo, '.git'), { recursive: true })
  writeFileSync(join(folder, 'longhouse.db'), 'secret')
  writeFileSync(join(repo, '.git', 'config'), 'token')
  symlinkSync(join(folder, 'longhouse.db'), join(repo, 'link.ts'))
  for (const file of ['../longhouse.db', 'link.ts', '.git/config', '/etc/hostname', 'absent.ts', 'a\0b']) {
    assert.equal(sourceExcerpt(repo, file, 1), null, file)
  }
  assert.equal(sourceExcerpt(repo, null, 1), null)
})

test('a pipe in place of the file blocks nothing', t => {
  const repo = temporaryFolder(t)
  spawnSync('mkfifo', [join(repo, 'pipe.ts')])
  assert.equal(sourceExcerpt(repo, 'pipe.ts', 1), null)
})
