import type { Clock } from '../../../src/clock.ts'
import type { Terms } from '../rules/standing.ts'
import type { BillingDb, Customers } from '../stripe/customers.ts'
import { type Exemptions, openExemptions } from './exemption.ts'
import { openStandings, type Standings } from './standings.ts'
import { openTrials, type Trials } from './trial.ts'

export interface AccountRecords {
  trials: Trials
  exemptions: Exemptions
  standings: Standings
}

/** Opens what billing keeps about accounts: their trials, their exemptions and how they stand. */
export function openAccountRecords(parts: {
  db: BillingDb
  clock: Clock
  customers: Customers
  /** How long a trial lasts. */
  trialMs: number
  terms: Terms
}): AccountRecords {
  const { db, clock, customers, trialMs, terms } = parts
  const trials = openTrials(db, clock, trialMs)
  const exemptions = openExemptions(db, clock)
  const standings = openStandings({ db, clock, customers, trials, exemptions, terms })
  return { trials, exemptions, standings }
}
