import { invalidFields } from '../../src/http/problem.ts'
import type { UpgradeSubject } from '../provisioner/contract.ts'

/** Assumed for one instance while no upgrade was measured. */
const assumedMs = 15_000
/** What the second wave takes of all instances. */
const secondShare = 0.05

export interface Wave {
  instances: readonly UpgradeSubject[]
}

/**
 * Which instances would be upgraded to an image, and in which waves:
 *
 * 1. the chosen ones, or else the first one that runs,
 * 2. 5 % of all, at least one,
 * 3. all others; those that do not run come last.
 *
 * Throws `invalid` for a chosen name that is unknown or needs no upgrade.
 */
export function planWaves(
  subjects: readonly UpgradeSubject[],
  { imageId, first }: { imageId: string; first: readonly string[] },
): Wave[] {
  const all = subjects.filter(each => needsUpgrade(each, imageId))
  const chosen = chosenOnes(subjects, all, first)
  const others = all
    .filter(each => !chosen.includes(each))
    .sort((a, b) => Number(!runs(a)) - Number(!runs(b)) || a.subdomain.localeCompare(b.subdomain))
  const rest = chosen.length > 0 ? others : others.slice(1)
  const second = Math.ceil(all.length * secondShare)
  return [chosen.length > 0 ? chosen : others.slice(0, 1), rest.slice(0, second), rest.slice(second)]
    .filter(instances => instances.length > 0)
    .map(instances => ({ instances }))
}

/** About how long the waves take, with a pause of `soakMs` between two of them; `measured` if that rests on earlier upgrades. */
export function estimate(
  waves: readonly Wave[],
  { parallel, soakMs, typicalMs }: { parallel: number; soakMs: number; typicalMs: number | null },
): { aboutMs: number; measured: boolean } {
  const eachMs = typicalMs ?? assumedMs
  const workMs = waves.reduce(
    (sum, { instances }) => sum + Math.ceil(instances.length / parallel) * eachMs,
    0,
  )
  return {
    aboutMs: workMs + Math.max(0, waves.length - 1) * soakMs,
    measured: typicalMs !== null,
  }
}

/** Why an instance would be left out if it stayed as it is; null when it would not be. */
export function leftOut({ status, statusReason, suspended }: UpgradeSubject): string | null {
  if (suspended) return 'It is suspended. Upgrade it when it runs again.'
  if (status !== 'failed' && status !== 'unhealthy') return null
  const why = statusReason ? `: ${statusReason}` : ''
  return `It was ${status} before its upgrade${why}. Fix that, then upgrade it by itself.`
}

function needsUpgrade(each: UpgradeSubject, imageId: string): boolean {
  return each.wanted !== 'deleted' && each.imageId !== null && each.imageId !== imageId
}

function runs(each: UpgradeSubject): boolean {
  return each.wanted === 'running' && each.status === 'running'
}

function chosenOnes(
  subjects: readonly UpgradeSubject[],
  all: readonly UpgradeSubject[],
  first: readonly string[],
): UpgradeSubject[] {
  const faults = first.flatMap((name, index) => {
    const known = subjects.find(({ subdomain }) => subdomain === name)
    if (known && all.includes(known)) return []
    const message = known
      ? `"${name}" needs no upgrade: it has this image, or is removed`
      : `must be names of instances; none is called "${name}"`
    return [{ path: `first.${index}`, message }]
  })
  if (faults.length > 0) throw invalidFields(faults)
  return [...new Set(first)].flatMap(name => all.find(({ subdomain }) => subdomain === name) ?? [])
}
