import type { Value } from './form.ts'
import type { StripeState } from './state.ts'

/** Stripe's own pages for payment and self-service: a button for each action. */
export function answerPage(
  state: StripeState,
  {
    method,
    path,
    query,
    form,
  }: { method: string; path: string; query: URLSearchParams; form: Record<string, Value> },
): { status: number; html?: string; location?: string } {
  const [, kind, id = ''] = /^\/(pay|portal)\/(\w+)$/.exec(path) ?? []
  if (kind === 'pay') {
    const session = state.sessions.has(id) ? state.session(id) : null
    if (session?.status !== 'open') return { status: 404, html: page('This page is over', []) }
    if (method === 'GET') return { status: 200, html: page('Pay', ['Pay', 'Use a declined card', 'Back']) }
    if (form.do === 'Back') return { status: 303, location: session.cancel_url }
    state.completeCheckout(id, { declined: form.do !== 'Pay' })
    if (form.do !== 'Pay') return { status: 402, html: page('The card was declined', ['Pay', 'Back']) }
    return { status: 303, location: session.success_url }
  }
  if (kind === 'portal') {
    const back = query.get('back') ?? '/'
    const mine = [...state.subscriptions.values()].filter(
      each => each.customer === id && each.ended_at === null,
    )
    if (method === 'GET')
      return { status: 200, html: page('Portal', ['Cancel plan', 'Pay what is open', 'Back']) }
    for (const each of mine) {
      if (form.do === 'Cancel plan') state.cancelAtPeriodEnd(each.id)
      if (form.do === 'Pay what is open') state.pay(each.id)
    }
    return { status: 303, location: back }
  }
  return { status: 404, html: page('Nothing here', []) }
}

function page(title: string, buttons: readonly string[]): string {
  const forms = buttons.map(
    word => `<form method="post"><button name="do" value="${word}">${word}</button></form>`,
  )
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${forms.join('')}`
}
