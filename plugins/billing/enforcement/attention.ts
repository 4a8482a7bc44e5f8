import type { AccountDirectory } from '../../auth/contract.ts'
import type { Attention } from '../contract.ts'
import { moneyWords } from '../rules/money.ts'
import type { Dispute, Subscription } from '../schema.ts'
import type { Customers } from '../stripe/customers.ts'
import type { Disputes } from '../stripe/disputes.ts'

export function createAttention(parts: {
  live: boolean
  customers: Customers
  disputes: Disputes
  accounts: Pick<AccountDirectory, 'get'>
  /** The subscriptions that have not ended, the one that counts first. */
  weigh(subscriptions: readonly Subscription[]): readonly Subscription[]
}) {
  const { live, customers, disputes, accounts, weigh } = parts
  const dashboard = `https://dashboard.stripe.com${live ? '' : '/test'}`

  /** The matters, from what was last read. Most urgent first. */
  return (): Attention[] => {
    const found: Attention[] = []
    const paying = new Map<string, { accountId: string; goesOn: boolean }>()
    for (const [{ customerId, accountId }, subscriptions] of customers.everySubscription()) {
      const account = accounts.get(accountId)
      const about = { accountId, email: account?.email || null, until: null }
      const url = `${dashboard}/customers/${customerId}`
      const [first, ...others] = weigh(subscriptions)
      paying.set(customerId, { accountId, goesOn: first !== undefined })
      if (first && others.length > 0) {
        const ids = others.map(({ id }) => id).join(', ')
        found.push({
          ...about,
          ...{ id: `two-${customerId}`, kind: 'two-subscriptions', url },
          what: `The account has ${others.length + 1} subscriptions at once; ${first.id} counts.`,
          todo: `Cancel ${ids} at Stripe, and refund ${others.length === 1 ? 'its' : 'their'} payments.`,
        })
      }
      for (const { id, pauseBehavior, pauseEndsAt } of weigh(subscriptions)) {
        if (pauseBehavior === null) continue
        const invoices = pauseWords[pauseBehavior] ?? `handled as ${pauseBehavior}`
        found.push({
          ...about,
          ...{ id: `paused-${id}`, kind: 'collection-paused', url, until: pauseEndsAt },
          what: `Stripe collects no payment for ${id}; its invoices are ${invoices}. The account counts as paid, and its instances run.`,
          todo:
            pauseEndsAt === null
              ? 'Resume collection at Stripe when you want to be paid again.'
              : 'Stripe resumes collection by itself. If you did not mean to pause it, resume it now.',
        })
      }
      // Stripe counts in whole seconds.
      const closedAt = account?.closedAt == null ? Infinity : Math.floor(account.closedAt / 1000) * 1000
      for (const { id } of subscriptions.filter(({ createdAt }) => createdAt >= closedAt)) {
        found.push({
          ...about,
          ...{ id: `closed-${id}`, kind: 'paid-when-closed', url },
          what: 'A payment was made after the account was deleted. The subscription is cancelled.',
          todo: `Refund the payment for ${id} at Stripe.`,
        })
      }
    }
    for (const dispute of disputes.list()) {
      const whose = paying.get(dispute.customerId ?? '')
      const matter = whose ? matterOf(dispute, whose.goesOn) : null
      if (!whose || !matter) continue
      const { accountId } = whose
      found.push({
        ...matter,
        ...{ id: dispute.id, accountId, email: accounts.get(accountId)?.email || null },
        url: `${dashboard}/disputes/${dispute.id}`,
      })
    }
    return found.sort((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity) || a.id.localeCompare(b.id))
  }
}

/** What happens to invoices, by `pause_collection.behavior`. */
const pauseWords: Readonly<Record<string, string>> = {
  keep_as_draft: 'kept as drafts',
  mark_uncollectible: 'marked as uncollectible',
  void: 'voided',
}

/** Returns null for a dispute that is closed: won, withdrawn, or lost by an account that has no subscription. */
function matterOf(
  dispute: Dispute,
  goesOn: boolean,
): Pick<Attention, 'kind' | 'what' | 'todo' | 'until'> | null {
  const { amount, currency, status, reason, answerBy } = dispute
  const what = `The bank wants ${moneyWords(amount, currency)} back (${reason.replaceAll('_', ' ')}).`
  if (status.endsWith('needs_response')) {
    return {
      kind: 'dispute-to-answer',
      what,
      todo: 'Respond at Stripe, or accept the dispute.',
      until: answerBy,
    }
  }
  if (status.endsWith('under_review')) {
    return { kind: 'dispute-waits', what, todo: 'Nothing to do now. The bank decides.', until: null }
  }
  if (status !== 'lost' || !goesOn) return null
  return {
    kind: 'dispute-lost',
    what: `${what} You lost the dispute, and the subscription is still active.`,
    todo: 'Cancel the subscription at Stripe unless you want to keep this customer.',
    until: null,
  }
}
