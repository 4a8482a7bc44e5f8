import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moneyWords } from './money.ts'

test('an amount is formatted with Stripe’s decimals of its currency', () => {
  const rows = [
    [900, 'eur', '€9.00'],
    [123_456, 'usd', '$1,234.56'],
    [500, 'jpy', '¥500'],
    [500, 'vnd', '₫500'],
    [5124, 'kwd', 'KWD 5.124'],
    // Two decimals at Stripe, none where people write them.
    [350_000, 'huf', 'HUF 3,500.00'],
    [500, 'isk', 'ISK 5.00'],
    [4_000_000, 'cop', 'COP 40,000.00'],
    [15_000_000, 'idr', 'IDR 150,000.00'],
    [280_000, 'pkr', 'PKR 2,800.00'],
    [370_000, 'ugx', 'UGX 3,700.00'],
    [-900, 'eur', '-€9.00'],
    [0, 'clp', 'CLP 0'],
  ] as const
  for (const [amount, currency, words] of rows) {
    assert.equal(moneyWords(amount, currency).replaceAll('\u00A0', ' '), words)
  }
})

test('an unknown currency is shown, and breaks nothing', () => {
  for (const [currency, words] of [
    ['zzz', 'ZZZ 9.00'],
    ['usdc', '9.00 USDC'],
    ['', '9.00'],
    ['<b>', '9.00 <B>'],
    ['€', '9.00 €'],
  ] as const) {
    assert.equal(moneyWords(900, currency).replaceAll('\u00A0', ' '), words)
  }
})
