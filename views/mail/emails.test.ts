import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Email, emailHtml, emailText } from './email.tsx'
import * as emails from './emails.tsx'

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

const all: Record<string, Email> = {
  welcome: emails.welcome({ ...about, trialEndsAt: at }),
  trialEnding: emails.trialEnding({ ...about, endsAt: at }),
  paymentFailed: emails.paymentFailed(about),
  stopped: emails.stopped({ ...about, reason: 'unpaid' }),
  deletionAhead: emails.deletionAhead({ ...about, purgeAt: at }),
  recovered: emails.recovered(about),
}

test('every email has the same words in HTML and text, and a link', () => {
  for (const [name, email] of Object.entries(all)) {
    const [html, text] = [emailHtml(email), emailText(email)]
    assert.match(email.subject, /acme/, name)
    assert.match(html, /^<!doctype html><html lang="en">/, name)
    assert.doesNotMatch(text, /[<>]|&(amp|lt|gt|quot|#39);|\n{3}/, name)
    assert.match(text, /^\S.*\n\n.*: https:\/\/.*\S$/s, name)
    assert.doesNotMatch(html + text, /password/i, name)
  }
})

test('dates are listed, and addresses are shown unchanged', () => {
  const text = emailText(all.paymentFailed as Email)
  assert.match(
    text,
    /\n- 22 November 2026: it stops\n- 23 November 2026: its container is removed & its data kept\n/,
  )
  assert.match(text, /change the card: https:\/\/control\.example\.com\/billing\?a=1&b=2\n/)
})

test('names that look like HTML are escaped', () => {
  const email = emails.recovered({ subdomain: '<b>', url: 'https://x.example.com/"><script>' })
  assert.doesNotMatch(emailHtml(email), /<script>/)
})
