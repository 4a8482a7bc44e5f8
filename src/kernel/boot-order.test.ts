import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootOrder } from './boot-order.ts'

const plugin = (name: string, ...needs: string[]) => ({ name, needs })
const names = (plugins: readonly { name: string }[]) => plugins.map(({ name }) => name)

test('each plugin follows its needs, otherwise the given order', () => {
  const { order, faults } = bootOrder([
    plugin('d', 'b', 'c'),
    plugin('c', 'a'),
    plugin('b'),
    plugin('a'),
    plugin('e'),
  ])
  assert.deepEqual(faults, [])
  assert.deepEqual(names(order), ['b', 'a', 'c', 'd', 'e'])
})

test('every fault is reported at once', () => {
  const { faults } = bootOrder([
    plugin('a', 'b', 'gone'),
    plugin('b', 'c'),
    plugin('c', 'a'),
    plugin('d', 'd', 'away'),
    plugin('e'),
    plugin('e'),
  ])
  assert.deepEqual(faults, [
    'two plugins are called "e"',
    'plugin "a" needs "gone", which is not there',
    'plugin "d" needs "away", which is not there',
    'plugins need each other in a circle: a → b → c → a',
    'plugins need each other in a circle: d → d',
  ])
})

test('two paths to one plugin are not a circle', () => {
  const { order, faults } = bootOrder([
    plugin('top', 'l', 'r'),
    plugin('l', 'base'),
    plugin('r', 'base'),
    plugin('base'),
  ])
  assert.deepEqual(faults, [])
  assert.deepEqual(names(order), ['base', 'l', 'r', 'top'])
})
