import Stripe from 'stripe'
import { openDatabase } from '../lib/database'

/** Notes invoices that could not be paid. */
export async function run() {
  const stripe = new Stripe(process.env.STRIPE_KEY ?? 'sk_test_1')
  const { data } = await stripe.invoices.list({ status: 'open', limit: 100 })
  const db = openDatabase()
  for (const { id } of data) await db('invoices').where({ id }).update({ failed: true })
  await db.destroy()
}
