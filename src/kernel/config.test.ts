import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { durationMs, parseConfig, setting } from './config.ts'

const one = (field: z.ZodType, text: string) => parseConfig(z.object({ X: field }), { X: text })

test('settings are parsed in their own units', () => {
  const values: [z.ZodType, string, unknown][] = [
    [setting.integer(-5, 5), '-5', -5],
    [setting.port(), '0', 0],
    [setting.port(), '65535', 65535],
    [setting.flag(), 'true', true],
    [setting.flag(), 'false', false],
    [setting.duration(), '500ms', 500],
    [setting.duration(), '2h', 7_200_000],
    [setting.duration(), '24d', 2_073_600_000],
    [setting.size(), '512k', 524_288],
    [setting.size(), '1G', 1_073_741_824],
    [setting.list(), ' a, b ,,c', ['a', 'b', 'c']],
  ]
  for (const [field, text, value] of values) assert.deepEqual(one(field, text).config, { X: value }, text)
  assert.equal(durationMs('1m'), 60_000)
  assert.ok(Number.isNaN(durationMs('1 m')))
})

test('an invalid value is refused once, by name, with the expected format', () => {
  const values: [z.ZodType, string[], string][] = [
    [
      setting.integer(1, 9),
      ['0', '10', '1.5', '1e0', ' 1', 'x', '99999999999999999999'],
      'must be a whole number from 1 to 9',
    ],
    [setting.port(), ['65536', '-1', '80a', '0x50'], 'must be a whole number from 0 to 65535'],
    [setting.flag(), ['1', 'yes', 'TRUE'], 'must be true or false'],
    [
      setting.duration(),
      ['10', '10 s', '-1s', '1.5h', '1w'],
      'must be a duration such as 500ms, 10s, 5m, 2h or 7d',
    ],
    [setting.size(), ['512', '1t', '1.5g', 'k'], 'must be a size such as 512k, 256m or 1g'],
    // Beyond what Node's timers can wait for, they fire at once.
    [setting.duration(), ['0ms', '25d'], 'must be from 1ms to 24d'],
    [setting.duration('1s', '1h'), ['999ms', '2h'], 'must be from 1s to 1h'],
    [setting.size('64m', '1g'), ['0m', '63m', '2g'], 'must be from 64m to 1g'],
  ]
  for (const [field, texts, words] of values) {
    for (const text of texts) assert.deepEqual(one(field, text).faults, [`X: ${words}`], text)
  }
})

test('an empty variable counts as unset; every fault is returned without its value', () => {
  const schema = z.object({
    A: z.string().min(5, 'must have at least 5 characters').optional(),
    B: setting.port().prefault('8080'),
    C: z.string('must be set'),
  })
  assert.deepEqual(parseConfig(schema, { A: '', B: '', C: 'x', D: 'ignored' }).config, { B: 8080, C: 'x' })
  const { faults = [] } = parseConfig(schema, { A: 'pass', B: 'word', C: '' })
  assert.deepEqual(faults, [
    'A: must have at least 5 characters',
    'B: must be a whole number from 0 to 65535',
    'C: must be set',
  ])
})
