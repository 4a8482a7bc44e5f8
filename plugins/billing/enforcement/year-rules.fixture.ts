import type { WireInstance } from '../../provisioner/pages/wire.ts'

/** The terms, in days: the defaults of the product. */
const trialDays = 14
const graceDays = 14
export const removalDays = 30
export const keptDays = 30

/** Why an account's instances run on a day; null when nothing pays for them. */
export type Ground = 'paid' | 'trial' | 'grace' | null

/** What the watch has seen of one account. */
export interface Account {
  ground: Ground
  /** Set once the account has subscribed, which ends the trial. */
  subscribed: boolean
  /** The day on which a failed payment was seen. */
  failedOn: number | null
  /** The first day without a ground. */
  overOn: number | null
  team: boolean
  stops: number
  comebacks: number
  failures: number
}

export const newAccount = (): Account => ({
  ground: 'trial',
  subscribed: false,
  failedOn: null,
  overOn: null,
  team: false,
  stops: 0,
  comebacks: 0,
  failures: 0,
})

/** Notes the ground of a new day, and what changed with it. */
export function enterDay(account: Account, ground: Ground, today: number): void {
  const before = account.ground
  account.ground = ground
  account.overOn = ground === null ? (account.overOn ?? today) : null
  if (before !== null && ground === null) account.stops++
  if (before === null && ground !== null) account.comebacks++
  if (before !== 'grace' && ground === 'grace') account.failures++
}

/** Why an account runs on a day, `paid` apart: by its trial, or in the grace period after a failed payment. */
export function unpaidGround(account: Account, today: number): Ground {
  if (!account.subscribed) return today < trialDays ? 'trial' : null
  return account.failedOn !== null && today - account.failedOn < graceDays ? 'grace' : null
}

/** Says what is wrong with an account's instances, oldest first, on a day; null when everything is as it must be. */
export function faultOf(account: Account, instances: readonly WireInstance[], today: number): string | null {
  for (const [index, { subdomain, status, operation, suspension }] of instances.entries()) {
    const how = `${subdomain} is ${status} (${suspension ?? 'not suspended'})`
    if (operation?.status === 'pending' || operation?.status === 'running')
      return `${how}, and being worked on`
    const mustRun = account.ground !== null && (index === 0 || account.team)
    if (mustRun && status !== 'running') return `${how}, and must run: ${account.ground}`
    if (!mustRun && status !== 'stopped' && status !== 'deleted') return `${how}, and nothing pays for it`
    const overFor = account.overOn === null ? 0 : today - account.overOn
    // A week in which Stripe is away does not count.
    if (status === 'stopped' && overFor > removalDays + 8) return `${how}, and should be removed`
  }
  return null
}

/** Subjects of emails, each with how often an instance's owner may get it in a year: at least, at most. */
export function emailCounts(
  account: Account,
  removals: number,
): readonly (readonly [RegExp, number, number])[] {
  return [
    [/ is ready$/, 1, 1],
    [/^The trial of /, 0, 2],
    [/^A payment for /, 0, account.failures],
    [/ has stopped$/, 0, account.stops],
    [/ is back$/, 0, account.comebacks],
    [/^The data of /, 0, 2 * removals],
  ]
}
