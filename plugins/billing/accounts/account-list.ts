import type { AccountDirectory } from '../../auth/contract.ts'
import type { ProvisionerService } from '../../provisioner/contract.ts'
import type { ListedAccount, State } from '../contract.ts'
import type { Standing } from '../rules/standing.ts'
import type { Standings } from './standings.ts'

/** The accounts for the operator: those that need attention first, then by what happens soonest. */
export function accountList(parts: {
  standings: Standings
  accounts: Pick<AccountDirectory, 'list'>
  provisioner: Pick<ProvisionerService, 'instances'>
}) {
  const { standings, accounts, provisioner } = parts

  /** One page of the accounts whose email address, subdomain or id contains the search words. */
  return ({ search, limit, offset }: { search: string; limit: number; offset: number }) => {
    const words = search.toLowerCase()
    const people = accounts.list()
    const emails = new Map(people.map(({ id, email }) => [id, email]))
    const instances = Map.groupBy(provisioner.instances(), ({ accountId }) => accountId)
    const known = standings.all()
    const seen = new Set(known.map(({ accountId }) => accountId))
    // Accounts without a trial are listed, too, so that the operator can exempt them before it starts.
    const others = people
      .filter(({ id, closedAt }) => closedAt === null && !seen.has(id))
      .map(({ id, createdAt }) => ({ accountId: id, standing: untouched(createdAt), customer: null }))
    const all = [...known, ...others].map(({ accountId, standing, customer }): ListedAccount & Ranked => ({
      accountId,
      email: emails.get(accountId) || null,
      subdomains: (instances.get(accountId) ?? []).map(({ subdomain }) => subdomain),
      state: standing.state,
      since: standing.since,
      next: standing.ladder[0] ?? null,
      readAt: customer?.readAt ?? null,
      error: customer?.error ?? null,
      rank: customer?.error ? 0 : rankOf(standing),
    }))
    const found = all
      .filter(each => [each.email ?? '', each.accountId, ...each.subdomains].some(text => has(text, words)))
      .sort(byNeed)
    return { accounts: found.slice(offset, offset + limit), found: found.length, total: all.length }
  }
}

const untouched = (since: number): Standing => ({
  ...{ state: 'free', since, instances: 'none', reason: null, ladder: [] },
})

interface Ranked {
  /** Lower is more urgent. */
  rank: number
}

const ranks: Record<State, number> = { grace: 1, over: 2, trial: 3, paid: 4, exempt: 4, free: 6 }

/** Accounts whose last step has passed need no more attention. */
function rankOf({ state, ladder }: Standing): number {
  return state === 'over' && ladder.length === 0 ? 5 : ranks[state]
}

function byNeed(a: ListedAccount & Ranked, b: ListedAccount & Ranked): number {
  const soonest = (each: ListedAccount) => each.next?.at ?? Number.MAX_SAFE_INTEGER
  return (
    a.rank - b.rank ||
    soonest(a) - soonest(b) ||
    (a.email ?? a.accountId).localeCompare(b.email ?? b.accountId)
  )
}

const has = (text: string, words: string) => text.toLowerCase().includes(words)
