import type { StripeStandIn } from '../../src/testing/stripe/stand-in.ts'
import { billingConfig, type StripeSettings } from './settings.ts'

/** What makes a stand-in the Stripe of a control plane, read as the control plane reads it. */
export function settingsFor({ env }: StripeStandIn): StripeSettings {
  const { stripe } = billingConfig.parse(env)
  if (!stripe) throw new Error('billing is off')
  return stripe
}
