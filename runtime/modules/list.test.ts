import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { listCode } from './list.ts'

test('code is listed without packages, data, types and links; a repo beyond the limits is not listed in part', t => {
  const repo = temporaryFolder(t)
  for (const file of [
    'manifest.ts',
    'jobs/a.ts',
    'jobs/deep/b.json',
    'jobs/types.d.ts',
    'data/kept.ts',
    'node_modules/p/index.js',
    'notes.md',
  ]) {
    mkdirSync(dirname(join(repo, file)), { recursive: true })
    writeFileSync(join(repo, file), '')
  }
  symlinkSync('a.ts', join(repo, 'jobs/link.ts'))
  const listed = ['jobs/a.ts', 'jobs/deep/b.json', 'manifest.ts']
  assert.deepEqual(listCode(repo, 'data'), listed)
  // The folders are the repo itself, jobs and jobs/deep.
  assert.deepEqual(listCode(repo, 'data', { limits: { files: 3, folders: 3 } }), listed)
  assert.equal(listCode(repo, 'data', { limits: { files: 2, folders: 3 } }), null)
  assert.equal(listCode(repo, 'data', { limits: { files: 3, folders: 2 } }), null)
})
