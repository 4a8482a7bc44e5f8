import { isDeepStrictEqual } from 'node:util'
import { nextSlot } from '../../cron/cron.ts'
import type { JobSpec } from '../../manifest/manifest.ts'
import type { JobChange, JobsDifference } from '../contract.ts'

/** A large change lists this many jobs, and counts the others. */
const mostListed = 100

/** Fields whose change users do not see: the place of a job in the file matters only to readers. */
const ignored = new Set<string>(['id', 'source'])

/** Compares two sets of jobs by id. Each changed job has its next run as of `now`. */
export function differenceOf(
  before: ReadonlyMap<string, JobSpec>,
  after: ReadonlyMap<string, JobSpec>,
  now: number,
): JobsDifference {
  const changes: { kind: JobChange['kind']; job: JobSpec; fields: string[] }[] = []
  for (const job of after.values()) {
    const old = before.get(job.id)
    const fields = old ? changedFields(old, job) : []
    if (!old) changes.push({ kind: 'added', job, fields })
    else if (fields.length > 0) changes.push({ kind: 'changed', job, fields })
  }
  for (const job of before.values()) {
    if (!after.has(job.id)) changes.push({ kind: 'removed', job, fields: [] })
  }
  const count = (kind: JobChange['kind']) => changes.filter(change => change.kind === kind).length
  return {
    added: count('added'),
    removed: count('removed'),
    changed: count('changed'),
    jobs: changes.slice(0, mostListed).map(({ kind, job, fields }) => ({
      id: job.id,
      kind,
      fields,
      cron: job.cron,
      timezone: job.timezone,
      nextRunAt: kind === 'removed' ? null : (nextSlot(job, now)?.at ?? null),
    })),
  }
}

export const isEmpty = ({ added, removed, changed }: JobsDifference): boolean =>
  added + removed + changed === 0

/** Describes a difference in a commit message; '' if nothing changed. */
export function differenceInWords(difference: JobsDifference): string {
  const { added, removed, changed, jobs } = difference
  if (isEmpty(difference)) return ''
  const lines = jobs.map(({ id, kind, fields, cron, timezone }) => {
    if (kind === 'added') return `+ ${id} (${cron}, ${timezone})`
    return kind === 'removed' ? `- ${id}` : `~ ${id}: ${fields.join(', ')}`
  })
  const more = added + removed + changed - jobs.length
  return ['Jobs:', ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

function changedFields(before: JobSpec, after: JobSpec): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof JobSpec>
  return [...names].filter(name => !ignored.has(name) && !isDeepStrictEqual(before[name], after[name]))
}
