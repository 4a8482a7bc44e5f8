import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/kernel/config.ts'
import { billingConfig } from './settings.ts'

const whole = {
  STRIPE_SECRET_KEY: 'sk_test_abc',
  STRIPE_WEBHOOK_SECRET: 'whsec_one, whsec_two',
  BILLING_PLANS: '[{"id":"basic","name":"Basic","price":"price_1"}]',
}
const faults = (env: Record<string, string>) => parseConfig(billingConfig, env).faults

test('Stripe’s settings are all set or none; the missing ones are named', () => {
  assert.deepEqual(faults({}), [])
  assert.equal(parseConfig(billingConfig, {}).config?.stripe, null)
  const { config } = parseConfig(billingConfig, whole)
  assert.deepEqual(config?.stripe?.webhookSecrets, ['whsec_one', 'whsec_two'])
  assert.deepEqual(config?.stripe?.plans, [
    {
      id: 'basic',
      name: 'Basic',
      cost: '',
      price: 'price_1',
      instances: 1,
      domains: null,
      limits: null,
      traffic: null,
    },
  ])
  assert.equal(config?.stripe?.apiBase.href, 'https://api.stripe.com/')
  for (const missing of Object.keys(whole)) {
    const half = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== missing))
    assert.match(faults(half).join(), new RegExp(`^${missing}: must be set too, as \\w+ is$`))
  }
})

test('a malformed setting is named with a correct example, and its value is not shown', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ STRIPE_SECRET_KEY: 'pk_test_public' }, /^STRIPE_SECRET_KEY: must be a Stripe secret key/],
    [{ STRIPE_WEBHOOK_SECRET: 'whsec_one, two' }, /^STRIPE_WEBHOOK_SECRET: must be Stripe signing secrets/],
    [{ BILLING_PLANS: 'basic' }, /^BILLING_PLANS: must be JSON such as \[/],
    [{ BILLING_PLANS: '{}' }, /^BILLING_PLANS: must be a list such as/],
    [{ BILLING_PLANS: '[]' }, /^BILLING_PLANS: must contain at least one plan/],
    [
      { BILLING_PLANS: '[{"id":"a","name":"A","price":"9 euros"}]' },
      /^BILLING_PLANS\.0\.price: must be the id of a Stripe price/,
    ],
    [
      { BILLING_PLANS: '[{"id":"a","name":"A","price":"price_1"},{"id":"a","name":"B","price":"price_2"}]' },
      /must not contain a plan twice/,
    ],
    [
      { BILLING_PLANS: '[{"id":"a","name":"A","price":"price_1","colour":"red"}]' },
      /^BILLING_PLANS\.0: .*colour/,
    ],
    [
      { BILLING_PLANS: '[{"id":"a","name":"A","price":"price_1","memory":"1g"}]' },
      /^BILLING_PLANS\.0\.memory: must be set together with cpus/,
    ],
    [{ STRIPE_API_BASE: 'http://stripe.example.com' }, /^STRIPE_API_BASE: must be an https address/],
    [{ BILLING_TRIAL_DAYS: 'two weeks' }, /^BILLING_TRIAL_DAYS: must be a whole number from 0 to 365/],
    [{ BILLING_REMOVAL_DAYS: '0' }, /^BILLING_REMOVAL_DAYS: must be a whole number from 1 to 365/],
  ]
  for (const [change, fault] of cases) {
    const said = faults({ ...whole, ...change }).join()
    assert.match(said, fault)
    assert.doesNotMatch(said, /pk_test_public/)
  }
})
