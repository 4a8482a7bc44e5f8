import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

test('a command that looks at quotas prints no warning of Node', () => {
  const code = `const { openProjectQuotas } = await import(${JSON.stringify(join(import.meta.dirname, 'project-quota.ts'))})
console.log(typeof openProjectQuotas())`
  const args = [
    '--import',
    join(import.meta.dirname, '../../scripts/loader.mjs'),
    '--input-type=module',
    '-e',
    code,
  ]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.deepEqual([stdout, stderr], ['object\n', ''])
})
