import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Problem } from '../../../src/http/problem.ts'
import { testRecords } from '../records/records.fixture.ts'
import { suspendInstance } from '../records/suspension.ts'
import type { VolumeSight } from '../volumes/volume.ts'
import { request } from './commands.ts'
import { type NameRequest, returningInstance } from './name-hold.ts'

const day = 86_400_000
const absent: VolumeSight = { kind: 'absent' }
const ada = { id: 'acct_ada', limit: 1 }
const eve = { id: 'acct_eve', limit: 1 }

function names(t: TestContext) {
  const fleet = testRecords(t)
  const may = (asked: Partial<NameRequest>, sight = absent) => {
    const whole = { subdomain: 'acme', ownerEmail: 'ada@example.com', adopt: false, account: null, ...asked }
    try {
      return returningInstance(fleet, whole, sight)?.id ?? 'new'
    } catch (error) {
      assert.ok(error instanceof Problem, String(error))
      return error.code
    }
  }
  return { fleet, may, add: (row = {}) => fleet.add({ subdomain: 'acme', ...row }) }
}

test('a free name can be had by anyone, a name in use by no one', t => {
  const { may, add } = names(t)
  assert.equal(may({ account: ada }), 'new')
  assert.equal(may({}), 'new')
  add({ accountId: 'acct_ada' })
  assert.equal(may({ account: ada }), 'subdomain-taken')
  assert.equal(may({}), 'subdomain-taken')
})

test('a name in retention is held for its last owner: by account, or by address without one', t => {
  const { fleet, may, add } = names(t)
  const { id } = add({ accountId: 'acct_ada' })
  request(fleet, 'acme', 'deprovision')
  assert.equal(may({ account: ada }), id)
  // An address may pass to another person: the account decides.
  assert.equal(may({ account: eve }), 'subdomain-held')
  assert.equal(may({ ownerEmail: 'Ada@Example.com' }), id)
  assert.equal(may({ ownerEmail: 'eve@example.com' }), 'subdomain-held')
  const unclaimed = names(t)
  const other = unclaimed.add({ accountId: null })
  request(unclaimed.fleet, 'acme', 'deprovision')
  assert.equal(unclaimed.may({ account: ada }), other.id)
  assert.equal(unclaimed.may({ account: eve, ownerEmail: 'eve@example.com' }), 'subdomain-held')
})

test('a name whose data is being deleted can be had by no one until that is done', t => {
  const { fleet, may, add } = names(t)
  add({ accountId: 'acct_ada' })
  request(fleet, 'acme', 'purge')
  assert.equal(may({ account: ada }), 'subdomain-taken')
  assert.equal(may({}), 'subdomain-taken')
})

test('an owner cannot escape a suspension by creating the instance again; the operator can lift it that way', t => {
  const { fleet, may, add } = names(t)
  const { id } = add({ accountId: 'acct_ada' })
  suspendInstance(fleet, id, 'It is not paid for.')
  request(fleet, 'acme', 'deprovision')
  assert.equal(may({ account: ada }), 'suspended')
  assert.equal(may({}), id)
})

test('an account has no more billed instances than it may, new or brought back', t => {
  const { fleet, may, add } = names(t)
  fleet.add({ accountId: 'acct_ada' })
  assert.equal(may({ account: ada }), 'instance-limit')
  assert.equal(may({ account: { ...ada, limit: 2 } }), 'new')
  const { id } = add({ accountId: 'acct_ada' })
  request(fleet, 'acme', 'deprovision')
  assert.equal(may({ account: ada }), 'instance-limit')
  // What the operator made counts against no plan; what is removed neither.
  const exempt = names(t)
  exempt.fleet.add({ accountId: 'acct_ada', billed: false })
  assert.equal(exempt.may({ account: ada }), 'new')
  const back = exempt.add({ accountId: 'acct_ada', billed: false })
  request(exempt.fleet, 'acme', 'deprovision')
  exempt.fleet.add({ accountId: 'acct_ada' })
  assert.equal(exempt.may({ account: ada }), back.id)
  assert.notEqual(id, '')
})

test('a purged name is held back from other accounts for a while: links and cookies outlive it', t => {
  const { fleet, may, add } = names(t)
  const purgedAt = fleet.clock.now()
  add({ accountId: 'acct_ada', desired: 'deleted', status: 'deleted', purgedAt })
  assert.equal(may({ account: eve }), 'subdomain-held')
  assert.equal(may({ account: ada }), 'new')
  // The operator decides for themselves.
  assert.equal(may({ ownerEmail: 'eve@example.com' }), 'new')
  fleet.clock.advance(30 * day)
  assert.equal(may({ account: eve }), 'new')
})

test('a volume without a record is adopted only by the operator, and one with a record by no one', t => {
  const { fleet, may } = names(t)
  const unmarked: VolumeSight = { kind: 'unmarked', file: '1:2:3' }
  assert.equal(may({}, unmarked), 'volume-unknown')
  assert.equal(may({ adopt: true }, unmarked), 'new')
  assert.equal(may({ account: ada, adopt: true }, unmarked), 'subdomain-taken')
  const marked: VolumeSight = { kind: 'marked', file: '1:2:3', id: 'inst_lost' }
  assert.equal(may({ adopt: true }, marked), 'new')
  fleet.add({ id: 'inst_lost' })
  assert.equal(may({ adopt: true }, marked), 'not-possible-now')
  // An empty folder, or a jobs repo cloned there beforehand, has no owner.
  assert.equal(may({ account: ada }, { kind: 'fresh', file: '1:2:3', names: ['jobs'] }), 'new')
})
