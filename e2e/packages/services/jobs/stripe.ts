import Stripe from 'stripe'
import { startHttp } from '../servers/http'

/** Pages of customers, an invoice, and a webhook's signature. */
export async function run() {
  const page = (id: string, has_more: boolean) =>
    JSON.stringify({ object: 'list', has_more, data: [{ id, object: 'customer' }] })
  const { port, asked, stop } = await startHttp(({ method, path }) => {
    if (method === 'POST') return { body: '{"id":"in_1","object":"invoice"}' }
    return { body: path.includes('starting_after') ? page('cus_2', false) : page('cus_1', true) }
  })
  const stripe = new Stripe('sk_test_1', { host: '127.0.0.1', port, protocol: 'http' })
  const ids: string[] = []
  for await (const { id } of stripe.customers.list({ limit: 1 })) ids.push(id)
  const invoice = await stripe.invoices.create({ customer: 'cus_1', metadata: { from: 'job' } })
  stop()
  const payload = '{"id":"evt_1","object":"event","type":"invoice.paid"}'
  const secret = 'whsec_test'
  const header = stripe.webhooks.generateTestHeaderString({ payload, secret })
  const event = stripe.webhooks.constructEvent(payload, header, secret)
  return { ids, invoice: invoice.id, body: asked.at(-1)?.body, event: event.type }
}
