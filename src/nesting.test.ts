import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNestedTooDeep, mostNested } from './nesting.ts'

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

test('nesting is counted, and brackets within texts are not', () => {
  assert.equal(isNestedTooDeep(lists(mostNested)), false)
  assert.equal(isNestedTooDeep(lists(mostNested + 1)), true)
  assert.equal(isNestedTooDeep(`${'{"a":'.repeat(mostNested + 1)}1${'}'.repeat(mostNested + 1)}`), true)
  assert.equal(isNestedTooDeep(`[${Array(1000).fill('[{}]').join()}]`), false)
  assert.equal(isNestedTooDeep(JSON.stringify([lists(1000), `\\"${lists(1000)}`])), false)
  assert.equal(isNestedTooDeep(`["\\"", ${lists(mostNested)}]`), true)
})
