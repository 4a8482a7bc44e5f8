import type { Clock } from '../../../src/clock.ts'
import { ladderWords } from '../../../views/billing/ladder-words.ts'
import type { Email } from '../../../views/mail/email.tsx'
import * as emails from '../../../views/mail/emails.tsx'
import type { AccountDirectory } from '../../auth/contract.ts'
import type { MailService } from '../../mail/contract.ts'
import type { InstanceSummary, ProvisionerService } from '../../provisioner/contract.ts'
import { type Site, siteUrl } from '../../site/contract.ts'
import type { AccountStanding } from '../accounts/standings.ts'
import type { Trials } from '../accounts/trial.ts'

const day = 86_400_000
/** Older notices are dropped, so that no one gets a flood of them after mail or the program was off. */
const freshMs = 3 * day
/** Days before a date on which the owner is reminded of it. */
const trialDays = [1, 3]
const deletionDays = [1, 7]

/** Emails owners about their instances. Both functions may run as often as you like: each thing is sent once. */
export function createNotices(parts: {
  mail: MailService
  provisioner: ProvisionerService
  accounts: Pick<AccountDirectory, 'get'>
  trials: Trials | null
  site: Site
  clock: Clock
}) {
  const { mail, provisioner, accounts, trials, site, clock } = parts
  const billingUrl = () => `${siteUrl(site, 'control')}/billing`
  const about = ({ subdomain }: InstanceSummary) => ({
    subdomain,
    url: siteUrl(site, subdomain),
    billingUrl: billingUrl(),
  })
  const recent = (at: number) => at > clock.now() - freshMs && at <= clock.now()
  /** The smallest of `days` that reaches from now to the date; null when the date is further off, or past. */
  const reminderDay = (at: number, days: readonly number[]) =>
    at > clock.now() ? (days.find(each => at - clock.now() <= each * day) ?? null) : null

  const addressOf = ({ accountId, ownerEmail }: InstanceSummary): string | null => {
    if (accountId === null) return ownerEmail
    const account = accounts.get(accountId)
    return account && account.closedAt === null && account.email ? account.email : null
  }
  const send = (instance: InstanceSummary, key: string, email: Email) => {
    const to = addressOf(instance)
    if (to) mail.send({ key: `${key}:${instance.id}`, to, email })
  }

  return {
    /** Notices to every owner, whether or not payments are set up. */
    ofInstances: (): void => {
      for (const instance of provisioner.instances()) {
        const { accountId, status, createdAt, deletedAt } = instance
        if (status === 'running' && recent(createdAt)) {
          const tries = accountId !== null && instance.billed
          const trialEndsAt = tries ? (trials?.endsAt(accountId) ?? null) : null
          send(instance, 'welcome', emails.welcome({ ...about(instance), trialEndsAt }))
        }
        const { purgeAt } = instance
        const days = purgeAt === null ? null : reminderDay(purgeAt, deletionDays)
        if (purgeAt !== null && days !== null) {
          const email = emails.deletionAhead({ ...about(instance), purgeAt })
          send(instance, `deletion-ahead:${deletedAt}:${days}`, email)
        }
      }
    },

    /** Notices to the owner of an account about payments and deadlines. */
    ofAccount: (standing: AccountStanding, instances: readonly InstanceSummary[]): void => {
      const { state, since, reason, previous } = standing
      const ladder = standing.ladder.map(({ at, what }) => ({ at, what: ladderWords[what] }))
      for (const instance of instances) {
        if (instance.desired === 'deleted' || !instance.billed) continue
        const facts = about(instance)
        const [stop] = standing.ladder
        const days = state === 'trial' && stop ? reminderDay(stop.at, trialDays) : null
        if (days !== null && stop) {
          send(instance, `trial-ending:${stop.at}:${days}`, emails.trialEnding({ ...facts, endsAt: stop.at }))
        }
        if (!recent(since)) continue
        if (state === 'grace' && reason === 'exemption')
          send(instance, `exemption-ended:${since}`, emails.exemptionEnded({ ...facts, ladder }))
        else if (state === 'grace')
          send(instance, `payment-failed:${since}`, emails.paymentFailed({ ...facts, ladder }))
        if (state === 'over' && reason !== null)
          send(instance, `stopped:${since}`, emails.stopped({ ...facts, reason, ladder }))
        // An instance that was created since never stopped, and one beyond the plan's room has not come back.
        const isBack = instance.createdAt < since && instance.suspendedAt === null
        if (state === 'paid' && previous === 'over' && isBack)
          send(instance, `recovered:${since}`, emails.recovered(facts))
      }
    },
  }
}

export type Notices = ReturnType<typeof createNotices>
