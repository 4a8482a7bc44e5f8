import type { Admission } from '../../provisioner/contract.ts'
import type { Standings } from '../accounts/standings.ts'
import type { Trials } from '../accounts/trial.ts'
import { paymentNeeded, trialsUsedUp } from '../problems.ts'

/**
 * Decides whether an account may have an instance that is being created, claimed or restored, in the same transaction,
 * and starts the trial where one is due. Throws `payment-needed` or `trials-used-up`.
 */
export function createAdmission(parts: {
  standings: Standings
  trials: Trials
  trialMs: number
  trialLimit: number
  graceMs: number
}): Admission {
  const { standings, trials, trialMs, trialLimit, graceMs } = parts
  return (accountId, how) => {
    const { state } = standings.of(accountId)
    if (how === 'billed') {
      // Its owner is asked for a plan, and has some time to choose one, also where there are no trials.
      if (state === 'free') trials.begin(accountId, trialMs === 0 ? graceMs : undefined)
      return
    }
    if (state === 'over') throw paymentNeeded('Choose a plan first; then you can have an instance again.')
    // What was made before anything cost something is left to its owner.
    if (state !== 'free' || how === 'brought-back') return
    if (trialMs === 0) throw paymentNeeded('Choose a plan first; there is no trial here.')
    if (trials.going() >= trialLimit) {
      throw trialsUsedUp('All trials are taken now. Come back in a few days, or choose a plan at once.', {
        headers: { 'Retry-After': '86400' },
      })
    }
    trials.begin(accountId)
  }
}
