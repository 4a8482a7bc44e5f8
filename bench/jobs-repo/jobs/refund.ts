import Stripe from 'stripe'
import { z } from 'zod'

export const params = z.object({ payment: z.string().optional(), cents: z.number().optional() })

/** Pays a customer back, by hand. */
export async function run({ params: { payment, cents } }: { params: z.output<typeof params> }) {
  if (payment === undefined) return
  const stripe = new Stripe(process.env.STRIPE_KEY ?? 'sk_test_1')
  const amount = cents === undefined ? {} : { amount: cents }
  await stripe.refunds.create({ payment_intent: payment, ...amount })
}
