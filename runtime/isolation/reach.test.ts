import assert from 'node:assert/strict'
import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { makeScratchFolder } from './reach.ts'

test('the folder of the jobs’ files is made in the jobs folder, and never through a link in its place', t => {
  const [repo, elsewhere] = [temporaryFolder(t), temporaryFolder(t)]
  makeScratchFolder(repo)
  makeScratchFolder(repo)
  assert.deepEqual(readdirSync(repo), ['data'])
  const link = join(repo, 'link')
  symlinkSync(elsewhere, link)
  makeScratchFolder(link)
  assert.deepEqual(readdirSync(elsewhere), [])
})
