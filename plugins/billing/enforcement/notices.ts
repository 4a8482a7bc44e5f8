import type { Clock } from '../../../src/clock.ts'
import type { Letter } from '../../../views/mail/letter.tsx'
import * as letters from '../../../views/mail/letters.tsx'
import type { AccountDirectory } from '../../auth/contract.ts'
import type { MailService } from '../../mail/contract.ts'
import type { InstanceSummary, ProvisionerService } from '../../provisioner/contract.ts'
import { type Site, siteUrl } from '../../site/contract.ts'
import type { AccountStanding } from '../accounts/standings.ts'
import type { Trials } from '../accounts/trial.ts'
import type { Rung } from '../contract.ts'

const day = 86_400_000
/** What is older than this is told no more: mail that was off, or a program, must not begin with old news. */
const freshMs = 3 * day
/** Days before a date at which it is announced. */
const trialDays = [1, 3]
const deletionDays = [1, 7]

export const rungWords: Record<Rung['what'], string> = {
  stop: 'the instance stops; everything in it is kept',
  remove: 'it is removed; its data is kept, and paying brings it back',
  delete: 'its data is deleted for good',
}

/** Tells owners what becomes of their instances. It may look as often as it likes: the same thing is told once. */
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
  /** The smallest of the days that lie between now and then; null when it is further off, or past. */
  const announced = (at: number, days: readonly number[]) =>
    at > clock.now() ? (days.find(each => at - clock.now() <= each * day) ?? null) : null

  const addressOf = ({ accountId, ownerEmail }: InstanceSummary): string | null => {
    if (accountId === null) return ownerEmail
    const account = accounts.get(accountId)
    return account && account.closedAt === null && account.email ? account.email : null
  }
  const tell = (instance: InstanceSummary, key: string, letter: Letter) => {
    const to = addressOf(instance)
    if (to) mail.send({ key: `${key}:${instance.id}`, to, letter })
  }

  return {
    /** What every owner is told, whether anybody pays for it or not. */
    ofInstances: (): void => {
      for (const instance of provisioner.instances()) {
        const { accountId, status, createdAt, deletedAt } = instance
        if (status === 'running' && recent(createdAt)) {
          const tries = accountId !== null && instance.billed
          const trialEndsAt = tries ? (trials?.endsAt(accountId) ?? null) : null
          tell(instance, 'welcome', letters.welcome({ ...about(instance), trialEndsAt }))
        }
        const { purgeAt } = instance
        const days = purgeAt === null ? null : announced(purgeAt, deletionDays)
        if (purgeAt !== null && days !== null) {
          const letter = letters.deletionAhead({ ...about(instance), purgeAt })
          tell(instance, `deletion-ahead:${deletedAt}:${days}`, letter)
        }
      }
    },

    /** What the owner of an account is told about money and time. */
    ofAccount: (standing: AccountStanding, instances: readonly InstanceSummary[]): void => {
      const { state, since, reason, previous } = standing
      const ladder = standing.ladder.map(({ at, what }) => ({ at, what: rungWords[what] }))
      for (const instance of instances) {
        if (instance.desired === 'deleted' || !instance.billed) continue
        const facts = about(instance)
        const [stop] = standing.ladder
        const days = state === 'trial' && stop ? announced(stop.at, trialDays) : null
        if (days !== null && stop) {
          tell(
            instance,
            `trial-ending:${stop.at}:${days}`,
            letters.trialEnding({ ...facts, endsAt: stop.at }),
          )
        }
        if (!recent(since)) continue
        if (state === 'grace' && reason === 'exemption')
          tell(instance, `exemption-ended:${since}`, letters.exemptionEnded({ ...facts, ladder }))
        else if (state === 'grace')
          tell(instance, `payment-failed:${since}`, letters.paymentFailed({ ...facts, ladder }))
        if (state === 'over' && reason !== null)
          tell(instance, `stopped:${since}`, letters.stopped({ ...facts, reason, ladder }))
        // One that was made since never stopped, and one that is beyond the plan has not begun again.
        const isBack = instance.createdAt < since && instance.suspendedAt === null
        if (state === 'paid' && previous === 'over' && isBack)
          tell(instance, `recovered:${since}`, letters.recovered(facts))
      }
    },
  }
}

export type Notices = ReturnType<typeof createNotices>
