import type { JobsDifference } from '../../runtime/jobs/contract.ts'
import { Mark, type Shape, type Tone } from '../components/mark.tsx'
import { Time } from '../components/time.tsx'

const looks: Record<'added' | 'removed' | 'changed', { tone: Tone; shape: Shape; word: string }> = {
  added: { tone: 'ok', shape: 'check', word: 'New' },
  changed: { tone: 'warn', shape: 'triangle', word: 'Changed' },
  removed: { tone: 'bad', shape: 'cross', word: 'Removed' },
}

/** The jobs that a change adds, removes and changes, and when they run next. */
export function Difference({ difference, now }: { difference: JobsDifference; now: number }) {
  const { jobs, added, removed, changed } = difference
  const more = added + removed + changed - jobs.length
  return (
    <ul class="difference">
      {jobs.map(({ id, kind, fields, cron, timezone, nextRunAt }) => (
        <li>
          <span class={`tone-${looks[kind].tone} mark-line`}>
            <Mark shape={looks[kind].shape} /> {looks[kind].word}
          </span>
          <span>
            <strong>{id}</strong>{' '}
            <span class="fine">
              {kind === 'changed' ? `${fields.join(', ')}; ` : ''}
              {kind === 'removed' ? 'no longer runs; its history is kept' : null}
              {kind !== 'removed' && nextRunAt !== null && nextRunAt > now ? (
                <>
                  next run <Time at={nextRunAt} now={now} zone={timezone} />, schedule{' '}
                </>
              ) : null}
              {kind === 'removed' ? null : <code>{cron}</code>}
            </span>
          </span>
        </li>
      ))}
      {more > 0 ? <li class="fine">and {more} more</li> : null}
    </ul>
  )
}
