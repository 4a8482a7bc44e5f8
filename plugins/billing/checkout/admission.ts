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
      // The owner is asked for a plan and gets some time to choose one, even where there are no trials.
      if (state === 'free') trials.begin(accountId, trialMs === 0 ? graceMs : undefined)
      return
    }
    if (state === 'over')
      throw paymentNeeded(
        'Nothing was created. Choose a plan first; after that, you can create an instance again.',
      )
    // An instance created before billing was set up stays with its owner.
    if (state !== 'free' || how === 'brought-back') return
    if (trialMs === 0)
      throw paymentNeeded('Nothing was created. There is no free trial here, so choose a plan first.')
    if (trials.going() >= trialLimit) {
      throw trialsUsedUp(
        'All free trials are taken at the moment. Nothing was created. Come back in a few days, or choose a plan now.',
        {
          headers: { 'Retry-After': '86400' },
        },
      )
    }
    trials.begin(accountId)
  }
}
