import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paramFaults } from './check.ts'

const words = (schema: Record<string, unknown>, value: unknown) =>
  paramFaults(schema, value).map(({ path, message }) => `${path}: ${message}`)

test('JSON Schema violations are reported with their place', () => {
  const schema = {
    type: 'object',
    properties: {
      list: {
        type: 'array',
        maxItems: 2,
        items: {
          type: 'object',
          properties: { n: { type: 'number', exclusiveMinimum: 0 } },
          required: ['n'],
        },
      },
      step: { type: 'number', multipleOf: 0.1 },
      maybe: { anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }] },
      either: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      both: { allOf: [{ type: 'number' }, { minimum: 3 }] },
      only: { const: 'x' },
      id: { $ref: '#/$defs/id' },
      rest: { type: 'object', additionalProperties: { type: 'boolean' } },
    },
    required: ['id'],
    $defs: { id: { type: 'string', format: 'uuid' } },
  }
  const id = 'd9428888-122b-11e1-b85c-61cd3cbb3210'
  const good = {
    id,
    list: [{ n: 1 }],
    step: 0.3,
    maybe: null,
    either: ['a'],
    both: 3,
    only: 'x',
    rest: { a: true },
  }
  assert.deepEqual(words(schema, good), [])
  assert.deepEqual(
    words(schema, {
      list: [{ n: 0 }, {}],
      step: 0.35,
      maybe: '',
      either: 7,
      both: 2,
      only: 'y',
      rest: { a: 1 },
    }),
    [
      'id: is missing',
      'list.0.n: must be more than 0',
      'list.1.n: is missing; it is a number',
      'step: must be a multiple of 0.1',
      'maybe: must not be empty',
      'either: fits none of the forms that it may have',
      'both: must be at least 3',
      "only: must be 'x'",
      'rest.a: must be true or false',
    ],
  )
  assert.deepEqual(words(schema, { id, list: [{ n: 1 }, { n: 1 }, { n: 1 }] }), [
    'list: must have at most 2 entries',
  ])
  assert.deepEqual(words({ type: 'object' }, [1]), [': must be an object'])
})

test('a schema that never finishes or is invalid is left to the run', () => {
  const circle = { $ref: '#' }
  assert.deepEqual(words(circle, { a: 1 }), [])
  const bush = { anyOf: [{ $ref: '#/anyOf/2' }, { $ref: '#/anyOf/2' }, { anyOf: [circle, circle, circle] }] }
  assert.deepEqual(words(bush, { a: 1 }), [])
  const slow = { type: 'object', properties: { text: { type: 'string', pattern: '^(a+)+$' } } }
  assert.deepEqual(words(slow, { text: `${'a'.repeat(50)}!` }), [])
  const nonsense = {
    type: 7,
    properties: { a: 3, b: null },
    required: 'a',
    enum: 'x',
    anyOf: {},
    minimum: 'y',
    $defs: 1,
  }
  assert.deepEqual(words(nonsense, { a: 1, b: [2] }), [])
  assert.deepEqual(words({ $ref: 'https://example.com/schema' }, 1), [])
})
