import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localPath } from './local-path.ts'

test('a path of this site is kept, with its query and fragment', () => {
  for (const path of ['/', '/jobs/daily-digest', '/runs/run_1?tail=1', '/#job-a']) {
    assert.equal(localPath(path, '/fallback'), path)
  }
})

test('any path that a browser could read as another site is refused', () => {
  const traps = [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/x/..//evil.example',
    '/.//evil.example',
    '/%2e//evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    'jobs',
    '',
    undefined,
  ]
  for (const trap of traps) assert.equal(localPath(trap, '/fallback'), '/fallback', String(trap))
})
