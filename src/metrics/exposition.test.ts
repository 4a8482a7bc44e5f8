import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exposition, gauge } from './exposition.ts'
import { Histogram } from './histogram.ts'

test('labels are escaped', () => {
  const text = exposition([gauge('x', 'a\nb', [[{ job: 'a"b\\c\nd' }, 1]])])
  assert.equal(text, '# HELP x a\\nb\n# TYPE x gauge\nx{job="a\\"b\\\\c\\nd"} 1\n')
})

test('a histogram counts in every bucket that is large enough', () => {
  const histogram = new Histogram([1, 5])
  for (const seconds of [0.5, 1, 3, 60]) histogram.observe(seconds)
  const samples = histogram.samples({ kind: 'start' })
  assert.deepEqual(
    samples.map(([labels, value, suffix]) => [labels.le ?? suffix, value]),
    [
      ['1', 2],
      ['5', 3],
      ['+Inf', 4],
      ['_sum', 64.5],
      ['_count', 4],
    ],
  )
})
