import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HookBoard } from './hooks.ts'

const answer = () => 'yes'

test('a hook is called only by the plugin that declared it, and only once every plugin is set up', () => {
  const board = new HookBoard()
  board.ask('shop', { 'may-buy': 'any' })
  const shop = board.askerFor('shop')
  assert.throws(() => shop.all('may-buy' as never), /asked before every plugin was set up/)
  board.answer('bank', { 'may-buy': answer })
  assert.deepEqual(board.complete(), [])
  assert.deepEqual(shop.all('may-buy' as never), [{ plugin: 'bank', answer }])
  assert.throws(() => board.askerFor('bank').all('may-buy' as never), /"bank" does not declare that it asks/)
  assert.throws(() => board.ask('other', { 'may-buy': 'any' }), /is asked by "shop" and by "other"/)
})

test('a hook takes one answer where one is allowed, and needs one where one is required', () => {
  const board = new HookBoard()
  board.ask('shop', { limit: 'optional', price: 'required', tax: 'required', vat: 'optional' })
  board.answer('bank', { limit: answer, price: answer })
  board.answer('state', { price: answer, vat: undefined })
  assert.deepEqual(board.complete(), [
    'plugin "shop" asks "price", and more than one answers it: "bank", "state"',
    'plugin "shop" asks "tax", and no plugin answers it',
  ])
  const shop = board.askerFor('shop')
  assert.equal(shop.optional('limit' as never), answer)
  assert.equal(shop.optional('vat' as never), null)
})
