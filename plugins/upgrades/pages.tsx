import type { AppContext } from '../../src/http/route.ts'
import { show } from '../../src/http/show.ts'
import { principalWords } from '../../views/components/principal-words.ts'
import { operatorFrame } from '../../views/operator/operator-frame.ts'
import { UpgradePage } from '../../views/operator/upgrades/upgrade-page.tsx'
import { countWords } from '../../views/operator/upgrades/upgrade-words.tsx'
import { UpgradesPage } from '../../views/operator/upgrades/upgrades-page.tsx'
import { type FleetUpgrading, isSoaking } from './advance.ts'
import { type MemberStatus, memberStatuses } from './contract.ts'
import { listUpgrades, membersOf, openUpgrade, startedBy } from './records.ts'
import type { FleetUpgrade, Member } from './schema.ts'
import { wireSummaries, wireSummary } from './wire.ts'

const path = '/admin/upgrades'
/** Instances of one that its page lists. */
const membersListed = 200

/** What needs a look comes first, then what is in progress. */
const urgency: readonly MemberStatus[] = [
  'kept',
  'unhealthy',
  'failed',
  'rolling-back',
  'upgrading',
  'skipped',
  'waiting',
  'rolled-back',
  'upgraded',
]

export function listPage(c: AppContext, { db, work, clock }: FleetUpgrading) {
  const kept = listUpgrades(db)
  const summaries = wireSummaries(db, kept)
  const upgrades = kept.map((upgrade, index) => ({
    ...{ id: upgrade.id, state: upgrade.state, image: upgrade.image, createdAt: upgrade.createdAt },
    by: principalWords(startedBy(upgrade), 'its owner'),
    counts: countWords(total(summaries[index]?.waves ?? [])),
  }))
  const page = (
    <UpgradesPage
      now={clock.now()}
      upgrades={upgrades}
      defaultImage={work.defaultImage}
      openId={openUpgrade(db)?.id ?? null}
    />
  )
  return c.render(page, operatorFrame('Fleet upgrades', path))
}

/** The page of one; htmx polls it without its frame. */
export function upgradePage(c: AppContext, { db, clock }: FleetUpgrading, upgrade: FleetUpgrade) {
  const all = membersOf(db, upgrade.id)
  const canUndo = (of: readonly Member[]) =>
    upgrade.state !== 'undoing' && of.some(({ status }) => status === 'upgraded' || status === 'unhealthy')
  const sorted = all.toSorted(
    (a, b) => urgency.indexOf(a.status) - urgency.indexOf(b.status) || a.position - b.position,
  )
  const page = (
    <UpgradePage
      now={clock.now()}
      {...upgrade}
      by={principalWords(startedBy(upgrade), 'its owner')}
      soakLeftMs={isSoaking(upgrade, all) ? Math.max(0, upgrade.soakMs - upgrade.soakedMs) : null}
      waves={wireSummary(db, upgrade).waves.map(({ wave, total, by_status }) => ({
        ...{ wave, total },
        counts: countWords(by_status),
        canUndo: canUndo(all.filter(each => each.wave === wave)),
      }))}
      canUndo={canUndo(all)}
      members={sorted.slice(0, membersListed)}
      more={Math.max(0, sorted.length - membersListed)}
    />
  )
  return show(c, page, operatorFrame(`Upgrade to ${upgrade.image}`, path))
}

function total(waves: ReturnType<typeof wireSummary>['waves']): Record<MemberStatus, number> {
  const sum = (status: MemberStatus) => waves.reduce((n, { by_status }) => n + by_status[status], 0)
  return Object.fromEntries(memberStatuses.map(status => [status, sum(status)])) as Record<
    MemberStatus,
    number
  >
}
