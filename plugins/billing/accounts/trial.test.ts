import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryFolder } from '../../../src/testing/folder.ts'
import { openShop } from '../shop.fixture.ts'

test('a failed call does not take back a trial that another call uses', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  // All of them find their names free. Where ada's is taken first, eve's first call fails when its password is ready;
  // which comes first is for the threads that make passwords, so it is tried until it is ada's.
  for (let attempt = 0; ; attempt++) {
    const [ada, eve] = [await shop.owner(`ada${attempt}`), await shop.owner(`eve${attempt}`)]
    const answers = await Promise.all([
      ada.call('POST', '/instances', { subdomain: `wanted${attempt}` }),
      eve.call('POST', '/instances', { subdomain: `wanted${attempt}` }),
      eve.call('POST', '/instances', { subdomain: `other${attempt}` }),
    ])
    const statuses = answers.map(({ status }) => status)
    if (attempt < 9 && statuses[0] !== 202) continue
    assert.deepEqual(statuses, [202, 409, 202])
    for (const owner of [ada, eve]) {
      const bill = (await owner.call('GET', '/billing')).json<{
        state: string
        trial_ends_at: string | null
      }>()
      assert.deepEqual([bill.state, bill.trial_ends_at !== null], ['trial', true])
    }
    return
  }
})

test('a failed call starts no trial', async t => {
  const shop = await openShop(t, { root: memoryFolder(t) })
  const [ada, eve] = [await shop.owner('ada'), await shop.owner('eve')]
  const replies = await Promise.all(
    [ada, eve].map(owner => owner.call('POST', '/instances', { subdomain: 'wanted' })),
  )
  assert.deepEqual(replies.map(({ status }) => status).sort(), [202, 409])
  // The first request gets it.
  const refused = replies[0]?.status === 409 ? ada : eve
  const { state } = (await refused.call('GET', '/billing')).json<{ state: string }>()
  assert.equal(state, 'free')
  assert.equal((await refused.call('POST', '/instances', { subdomain: 'other' })).status, 202)
})
