import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { sep } from 'node:path'
import { testGroup } from './packages.fixture.ts'

testGroup('native', {}, async ({ engine, path }) => {
  assert.ok(realpathSync(path('node_modules')).includes(`${sep}packages${sep}`), 'they lie beside the repo')
  assert.match(engine.packages().output, /rebuilt dependencies successfully/, 'their scripts ran there')
})
