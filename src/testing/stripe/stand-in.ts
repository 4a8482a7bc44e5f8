import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type Clock, systemClock } from '../../clock.ts'
import { answerCall } from './api.ts'
import { decodeForm, Refusal } from './form.ts'
import type { Event } from './objects.ts'
import { answerPage } from './pages.ts'
import { StripeState } from './state.ts'

export const secretKey = 'sk_test_standin'
export const webhookSecret = 'whsec_standin'
export const plans = [
  { id: 'basic', name: 'Basic', cost: '9 € a month', price: 'price_basic', instances: 1 },
  {
    id: 'team',
    name: 'Team',
    cost: '29 € a month',
    price: 'price_team',
    instances: 5,
    memory: '1g',
    cpus: 2,
  },
]

export interface StripeStandIn {
  state: StripeState
  /** The environment that connects a control plane to this stand-in. */
  env: Record<string, string>
  /**
   * `away` closes every connection, `failing` answers 500, `mute` performs the request and closes the connection
   * without a response.
   */
  mood: 'well' | 'away' | 'failing' | 'mute'
  /** Requests to the API, such as `GET /v1/customers/cus_1`. */
  asked: string[]
  /** An event as it is sent: the body with its signature. `age` is in seconds. */
  signed(
    event: Event,
    options?: { secret?: string; age?: number },
  ): { body: string; headers: Record<string, string> }
  /** Sends every unsent event, in order, to the given receiver. */
  deliver(post: (body: string, headers: Record<string, string>) => Promise<unknown>): Promise<number>
}

/**
 * A stand-in for Stripe on its own port, as far as a client of subscriptions needs: it keeps state, checks keys,
 * parameters and idempotency, and signs events as Stripe does. Its objects follow Stripe's published examples.
 */
export async function startStripe(
  t: Pick<TestContext, 'after'>,
  options: { clock?: Clock; live?: boolean } = {},
): Promise<StripeStandIn> {
  const { clock = systemClock, live = false } = options
  const state = new StripeState({ clock, live, prices: plans.map(plan => plan.price) })
  const key = live ? secretKey.replace('test', 'live') : secretKey
  /** The request and response of each idempotency key. */
  const answered = new Map<string, { asked: string; status: number; body: string }>()
  let delivered = 0

  const server = createServer((request, response) => {
    void answer(request, response).catch(error => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const standIn: StripeStandIn = {
    state,
    env: {
      STRIPE_SECRET_KEY: key,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_API_BASE: origin,
      BILLING_PLANS: JSON.stringify(plans),
    },
    mood: 'well',
    asked: [],
    signed: (event, { secret = webhookSecret, age = 0 } = {}) => {
      const body = JSON.stringify(event, null, 2)
      const at = state.now() - age
      const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
      return {
        body,
        headers: { 'Stripe-Signature': `t=${at},v1=${signature}`, 'Content-Type': 'application/json' },
      }
    },
    deliver: async post => {
      const news = state.events.slice(delivered)
      delivered = state.events.length
      for (const event of news) {
        const { body, headers } = standIn.signed(event)
        await post(body, headers)
      }
      return news.length
    },
  }
  return standIn

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (standIn.mood === 'away') return void request.socket.destroy()
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    const url = new URL(request.url ?? '/', origin)
    const { method = 'GET' } = request
    if (!url.pathname.startsWith('/v1/')) {
      const page = answerPage(state, {
        method,
        path: url.pathname,
        query: url.searchParams,
        form: decodeForm(body),
      })
      const { location, html = '' } = page
      response.writeHead(page.status, {
        'Content-Type': 'text/html',
        ...(location ? { Location: location } : {}),
      })
      return void response.end(html)
    }
    standIn.asked.push(`${method} ${url.pathname}`)
    if (request.headers.authorization !== `Bearer ${key}`) {
      const said = request.headers.authorization
        ? 'Invalid API Key provided'
        : 'You did not provide an API key'
      return send(response, 401, JSON.stringify({ error: { type: 'invalid_request_error', message: said } }))
    }
    const idempotency = method === 'POST' ? request.headers['idempotency-key'] : undefined
    const asked = `${method} ${url.pathname} ${body}`
    const before = typeof idempotency === 'string' ? answered.get(idempotency) : undefined
    if (before && before.asked !== asked) {
      const message =
        'Keys for idempotent requests can only be used with the same parameters they were first used with.'
      return send(response, 400, JSON.stringify({ error: { type: 'idempotency_error', message } }))
    }
    if (before && standIn.mood === 'mute') return void request.socket.destroy()
    if (before) return send(response, before.status, before.body, { 'Idempotent-Replayed': 'true' })
    const params = decodeForm(method === 'GET' ? url.search.slice(1) : body)
    const done =
      standIn.mood === 'failing'
        ? { status: 500, body: '{"error":{"type":"api_error","message":"Sorry"}}' }
        : outcome(() => answerCall(state, { method, path: url.pathname, params, origin }))
    // As Stripe does, for a day: failures are repeated too.
    if (typeof idempotency === 'string') answered.set(idempotency, { asked, ...done })
    if (standIn.mood === 'mute') return void request.socket.destroy()
    send(response, done.status, done.body)
  }
}

function outcome(work: () => unknown): { status: number; body: string } {
  try {
    return { status: 200, body: JSON.stringify(work()) }
  } catch (error) {
    if (error instanceof Refusal) return { status: error.status, body: JSON.stringify(error.body) }
    throw error
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  more: Record<string, string> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Request-Id': 'req_standin', ...more })
  response.end(body)
}
