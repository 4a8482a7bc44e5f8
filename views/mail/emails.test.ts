import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Brand, longhouse } from '../brand.tsx'
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
    const [html, text] = [emailHtml(email, longhouse), emailText(email, longhouse)]
    assert.match(email.subject, /acme/, name)
    assert.match(html, /^<!doctype html><html lang="en">/, name)
    assert.doesNotMatch(text, /[<>]|&(amp|lt|gt|quot|#39);|\n{3}/, name)
    assert.match(text, /^\S.*\n\n.*: https:\/\/.*\S$/s, name)
    assert.doesNotMatch(html + text, /password/i, name)
  }
})

test('dates are listed, and addresses are shown unchanged', () => {
  const text = emailText(all.paymentFailed as Email, longhouse)
  assert.match(
    text,
    /\n- 22 November 2026: it stops\n- 23 November 2026: its container is removed & its data kept\n/,
  )
  assert.match(text, /change the card: https:\/\/control\.example\.com\/billing\?a=1&b=2\n/)
})

test('names that look like HTML are escaped', () => {
  const email = emails.recovered({ subdomain: '<b>', url: 'https://x.example.com/"><script>' })
  assert.doesNotMatch(emailHtml(email, longhouse), /<script>/)
})

test('an email names the site and where to get help, in the site’s colour', () => {
  const brand: Brand = {
    name: 'Nightly & Sons',
    logo: null,
    colours: {
      accent: ['#005f5f', '#5fbfbf'],
      strong: ['#004040', '#7fdfdf'],
      onAccent: ['#ffffff', '#110f0d'],
    },
    support: { href: 'mailto:help@nightly.example', text: 'help@nightly.example' },
  }
  const email = all.welcome as Email
  const [html, text] = [emailHtml(email, brand), emailText(email, brand)]
  assert.match(html, /background:#005f5f;color:#ffffff/)
  assert.doesNotMatch(html + text, /Longhouse/)
  assert.match(text, /^Nightly & Sons\n\nYour instance is ready\n\n/)
  assert.match(text, /because you have an instance at Nightly & Sons\.\n\nHelp: help@nightly\.example$/)
  assert.match(
    emailText(email, {
      ...brand,
      support: { href: 'https://nightly.example/help', text: 'nightly.example/help' },
    }),
    /Help: nightly\.example\/help: https:\/\/nightly\.example\/help$/,
  )
})
