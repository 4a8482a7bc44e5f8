import Stripe from 'stripe'
import { mailTeam } from '../lib/mail'
import { asTable } from '../lib/tables'

/** The payouts of the week, as an email. */
export async function run() {
  const stripe = new Stripe(process.env.STRIPE_KEY ?? 'sk_test_1')
  const rows: [string, number][] = []
  for await (const { id, amount } of stripe.payouts.list({ limit: 50 })) rows.push([id, amount / 100])
  await mailTeam('Payouts', asTable(rows))
}
