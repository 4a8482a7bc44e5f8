import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooDeepJson, maxJsonDepth } from './json-depth.ts'

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

test('nesting is counted, and brackets within strings are not', () => {
  assert.equal(isTooDeepJson(lists(maxJsonDepth)), false)
  assert.equal(isTooDeepJson(lists(maxJsonDepth + 1)), true)
  assert.equal(isTooDeepJson(`${'{"a":'.repeat(maxJsonDepth + 1)}1${'}'.repeat(maxJsonDepth + 1)}`), true)
  assert.equal(isTooDeepJson(`[${Array(1000).fill('[{}]').join()}]`), false)
  assert.equal(isTooDeepJson(JSON.stringify([lists(1000), `\\"${lists(1000)}`])), false)
  assert.equal(isTooDeepJson(`["\\"", ${lists(maxJsonDepth)}]`), true)
})
