import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Addresses, type AddressUse } from './addresses.ts'

test('the addresses that are known stay while the engine is asked anew, and are unknown when it does not say', async () => {
  let answer = Promise.resolve<AddressUse | null>({ used: 3, total: 9 })
  const addresses = new Addresses({ addresses: () => answer })
  assert.equal(addresses.now, null)
  await addresses.look()
  const asked = Promise.withResolvers<AddressUse>()
  answer = asked.promise
  const looking = addresses.look()
  assert.deepEqual(addresses.now, { used: 3, total: 9 })
  asked.resolve({ used: 4, total: 9 })
  await looking
  assert.deepEqual(addresses.now, { used: 4, total: 9 })
  answer = Promise.reject(new Error('the engine is away'))
  await assert.rejects(addresses.look(), /is away/)
  assert.equal(addresses.now, null)
})
