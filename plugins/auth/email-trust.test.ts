import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Doorstep, openDoorstep } from './account.fixture.ts'
import type { Person } from './openid.fixture.ts'

const email = 'ada@example.com'
const accountsOf = ({ program }: Doorstep) => program.services.auth?.accounts.list() ?? []

test('claims that the ID token lacks come from the userinfo endpoint', async t => {
  const doorstep = await openDoorstep(t)
  const { provider, visitor } = doorstep
  provider.people.set('sub-ada', { email, email_verified: true, onlyFetched: ['email_verified'] })
  assert.equal((await visitor().signIn('sub-ada')).status, 303)
  provider.people.set('sub-bob', { email, email_verified: true, onlyFetched: ['email', 'email_verified'] })
  assert.equal((await visitor().signIn('sub-bob')).status, 303)
  provider.people.set('sub-eve', { email, email_verified: false, onlyFetched: ['email_verified'] })
  assert.equal((await visitor().signIn('sub-eve')).status, 403)
  assert.equal(accountsOf(doorstep).length, 2)
})

test('OPENID_EMAIL_TRUST decides which addresses count as verified', async t => {
  const people: Record<string, Person> = {
    told: { email, email_verified: true },
    text: { email, email_verified: 'true' },
    unstated: { email },
    denied: { email, email_verified: false },
    odd: { email, email_verified: 'perhaps' },
  }
  const rows = [
    [undefined, ['told', 'text']],
    ['verified', ['told', 'text']],
    ['unstated', ['told', 'text', 'unstated']],
    ['any', ['told', 'text', 'unstated', 'denied', 'odd']],
  ] as const
  for (const [trust, right] of rows) {
    const doorstep = await openDoorstep(t, trust ? { env: { OPENID_EMAIL_TRUST: trust } } : {})
    const admitted: string[] = []
    for (const [sub, person] of Object.entries(people)) {
      doorstep.provider.people.set(sub, person)
      if ((await doorstep.visitor().signIn(sub)).status === 303) admitted.push(sub)
    }
    assert.deepEqual(admitted, right, trust ?? 'not set')
    assert.equal(accountsOf(doorstep).length, right.length)
  }
})

test('a refused owner reads which claim is missing, and which setting the operator should check', async t => {
  const { provider, visitor } = await openDoorstep(t)
  provider.people.set('sub-ada', { email })
  const unstated = await (await visitor().signIn('sub-ada')).text()
  assert.match(unstated, /email_verified is missing/)
  assert.match(unstated, /OPENID_EMAIL_TRUST/)
  provider.people.set('sub-ada', { email, email_verified: false })
  const denied = await (await visitor().signIn('sub-ada')).text()
  assert.match(denied, /says that ada@example\.com is not verified/)
})
