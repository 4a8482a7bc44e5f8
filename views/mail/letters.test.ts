import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Letter, letterHtml, letterText } from './letter.tsx'
import * as letters from './letters.tsx'

const at = Date.UTC(2026, 10, 22)
const about = {
  subdomain: 'acme',
  url: 'https://acme.example.com',
  billingUrl: 'https://control.example.com/billing?a=1&b=2',
  ladder: [
    { at, what: 'it stops' },
    { at: at + 86_400_000, what: 'its container is removed & its data kept' },
  ],
}

const all: Record<string, Letter> = {
  welcome: letters.welcome({ ...about, trialEndsAt: at }),
  trialEnding: letters.trialEnding({ ...about, endsAt: at }),
  paymentFailed: letters.paymentFailed(about),
  stopped: letters.stopped({ ...about, reason: 'unpaid' }),
  deletionAhead: letters.deletionAhead({ ...about, purgeAt: at }),
  recovered: letters.recovered(about),
}

test('every letter has the same words in HTML and in text, and leads somewhere', () => {
  for (const [name, letter] of Object.entries(all)) {
    const [html, text] = [letterHtml(letter), letterText(letter)]
    assert.match(letter.subject, /acme/, name)
    assert.match(html, /^<!doctype html><html lang="en">/, name)
    assert.doesNotMatch(text, /[<>]|&(amp|lt|gt|quot|#39);|\n{3}/, name)
    assert.match(text, /^\S.*\n\n.*: https:\/\/.*\S$/s, name)
    assert.doesNotMatch(html + text, /password/i, name)
  }
})

test('dates are listed, and addresses come out as they are', () => {
  const text = letterText(all.paymentFailed as Letter)
  assert.match(
    text,
    /\n- 22 November 2026: it stops\n- 23 November 2026: its container is removed & its data kept\n/,
  )
  assert.match(text, /change the card: https:\/\/control\.example\.com\/billing\?a=1&b=2\n/)
})

test('names that look like HTML stay words', () => {
  const letter = letters.recovered({ subdomain: '<b>', url: 'https://x.example.com/"><script>' })
  assert.doesNotMatch(letterHtml(letter), /<script>/)
})
