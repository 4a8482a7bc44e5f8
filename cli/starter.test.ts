import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { programRoot } from '../src/root.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { say } from './command.fixture.ts'

test('a new jobs repo passes check, type check and its tests without installing packages or a network', async t => {
  const dir = join(temporaryFolder(t), 'jobs')
  cpSync(programRoot('jobs-template'), dir, { recursive: true })
  const tested = execFileSync('npm', ['test'], {
    cwd: dir,
    encoding: 'utf8',
    env: {
      PATH: `${dirname(process.execPath)}${delimiter}${programRoot('node_modules/.bin')}${delimiter}${process.env.PATH}`,
      HOME: dir,
      npm_config_offline: 'true',
    },
  })
  assert.match(tested, /pass 1/)
  assert.match(tested, /fail 0/)
  assert.deepEqual(await say(t, dir, ['check']), { code: 0, out: '✓ 1 job, no problems found\n', err: '' })

  mkdirSync(join(dir, 'node_modules/.bin'))
  symlinkSync(programRoot('node_modules/.bin/tsc'), join(dir, 'node_modules/.bin/tsc'))
  assert.deepEqual(await say(t, dir, ['check', '--types']), {
    code: 0,
    out: '✓ 1 job, no problems found\n',
    err: '',
  })
  const job = join(dir, 'jobs/daily-digest.ts')
  writeFileSync(job, readFileSync(job, 'utf8').replace('context.run.slot', 'context.run.slto'))
  const misspelt = await say(t, dir, ['check', '--types'])
  assert.equal(misspelt.code, 1)
  assert.match(misspelt.out, /^jobs\/daily-digest\.ts:5:36 TS2339: Property 'slto' does not exist/)
})
