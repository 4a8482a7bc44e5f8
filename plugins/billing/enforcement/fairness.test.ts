import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { openShop } from '../shop.fixture.ts'

test('while many accounts are enforced, the event loop keeps running other work', async t => {
  const root = memoryFolder(t)
  const shop = await openShop(t, { root })
  const sqlite = new Database(join(root, '.control', 'longhouse.db'))
  t.after(() => sqlite.close())
  const trial = sqlite.prepare(
    'insert into billing_trials (account_id, started_at, ends_at) values (?, ?, ?)',
  )
  const now = shop.clock.now()
  for (let each = 0; each < 200; each++) trial.run(`acct_${each}`, now, now + 86_400_000)
  const enforced = () => sqlite.prepare('select count(*) from billing_standings').pluck().get()

  const seen = new Set<unknown>()
  const look = () => {
    seen.add(enforced())
    next = setImmediate(look)
  }
  let next = setImmediate(look)
  await shop.run('enforce')
  clearImmediate(next)
  assert.equal(enforced(), 200)
  assert.ok(seen.size >= 5, `looked on after ${[...seen].join(', ')} accounts`)
})
