import type { Job, LogMatch, Run, Slot } from '../../../runtime/jobs/contract.ts'
import type { StateEntry } from '../../../runtime/state/contract.ts'
import { PostButton } from '../../components/button.tsx'
import { RunStrip } from '../../components/charts/run-strip.tsx'
import { Sparkline } from '../../components/charts/sparkline.tsx'
import { Live } from '../../components/live.tsx'
import { placeHref } from '../../components/log/source-links.tsx'
import { EmptyState, Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Search } from '../../components/search.tsx'
import { Badge, isOver, SlotStatus } from '../../components/status.tsx'
import { Pages } from '../../components/table.tsx'
import { Duration, Time } from '../../components/time.tsx'
import { ManifestProblems, type ManifestWithExcerpts } from '../manifest-panel.tsx'
import { cronWords } from './cron-words.ts'
import { JobActions } from './jobs-page.tsx'
import { median } from './median.ts'
import { PolicyPanel } from './policy-panel.tsx'
import { RunTable } from './run-table.tsx'
import { StatePanel } from './state-panel.tsx'

export interface JobPageProps {
  now: number
  job: Job
  manifest: ManifestWithExcerpts
  /** The last runs for the charts, newest first, whichever page of the list is shown. */
  recent: readonly Run[]
  list: {
    runs: readonly Run[]
    total: number
    limit: number
    offset: number
    /** The searched words; '' for none. */
    search: string
    /** False when the search was stopped before the oldest run. */
    complete: boolean
    /** The matching line of each run. */
    matches: ReadonlyMap<string, LogMatch>
  }
  /** The next due times, with the effect of clock changes. */
  upcoming: readonly { at: number; note: string | null }[]
  /** The results of the last due times, newest first. */
  slots: readonly Slot[]
  badge: { public: boolean; src: string }
  /** What the job stores from run to run. */
  state: readonly StateEntry[]
}

export function JobPage(props: JobPageProps) {
  const { now, job, manifest, recent, list, upcoming, slots, badge, state } = props
  const { offset, search } = list
  const address = (to: number) =>
    `/jobs/${job.id}?${new URLSearchParams({ offset: String(to), ...(search ? { search } : {}) })}`
  return (
    <Live id="job" src={address(offset)} everySeconds={search ? null : 2}>
      <div>
        <PageHead
          crumb={{ href: '/', label: 'Jobs' }}
          title={job.id}
          status={
            job.enabled ? null : (
              <Badge tone="idle" shape="slash">
                Disabled
              </Badge>
            )
          }
          lead={job.description || null}
          actions={<JobActions job={job} />}
        />
        <div class="stack">
          <ManifestProblems manifest={manifest} now={now} />
          <MissingSecrets job={job} />
          <div class="columns">
            <RunsPanel job={job} list={list} now={now} address={address} />
            <div class="stack">
              <SchedulePanel job={job} upcoming={upcoming} now={now} />
              <TrendPanel recent={recent} />
              <SlotPanel slots={slots} zone={job.timezone} now={now} />
              <PolicyPanel job={job} />
              <StatePanel jobId={job.id} entries={state} now={now} />
              <BadgePanel badge={badge} job={job} />
            </div>
          </div>
        </div>
      </div>
    </Live>
  )
}

function MissingSecrets({ job: { missingSecrets: names } }: Pick<JobPageProps, 'job'>) {
  if (names.length === 0) return null
  const one = names.length === 1
  return (
    <Notice tone="warn" title={one ? 'A secret is missing' : `${names.length} secrets are missing`}>
      <p>
        Runs of this job fail until {one ? 'it is' : 'they are'} set:{' '}
        {names.map((name, i) => (
          <>
            {i > 0 ? ', ' : ''}
            <a href={`/secrets?name=${name}#set`}>
              <code>{name}</code>
            </a>
          </>
        ))}
        .
      </p>
    </Notice>
  )
}

function RunsPanel(props: Pick<JobPageProps, 'job' | 'list' | 'now'> & { address(offset: number): string }) {
  const { job, list, now, address } = props
  const { runs, total, limit, offset, search, complete, matches } = list
  const count = search ? `${total} with “${search}”` : `${total} in total`
  return (
    <Panel title="Runs" aside={total === 0 ? null : count} flush>
      {total > 0 || search ? (
        <div class="panel-body">
          <Search
            action={`/jobs/${job.id}`}
            words={search}
            label="Search the logs of these runs"
            placeholder="Search the logs"
          />
          {complete ? null : <p class="fine">The search took too long. The oldest runs were not searched.</p>}
        </div>
      ) : null}
      {runs.length > 0 ? (
        <RunTable runs={runs} now={now} zone={job.timezone} matches={matches} words={search} />
      ) : search ? (
        <EmptyState title="No log contains this text">
          <p>
            <a href={`/jobs/${job.id}`}>All runs</a>
          </p>
        </EmptyState>
      ) : (
        <EmptyState title={total === 0 ? 'No runs yet' : 'No runs this far back'}>
          <p>{total === 0 ? whenItRuns(job) : 'Go back to the newest runs.'}</p>
        </EmptyState>
      )}
      <Pages total={total} limit={limit} offset={offset} href={address} />
    </Panel>
  )
}

function whenItRuns(job: Job): string {
  return job.enabled
    ? 'The job runs when it is due. Press Run now to run it at once.'
    : 'The job is disabled, so it does not run on schedule. You can still press Run now.'
}

function SchedulePanel({ job, upcoming, now }: Pick<JobPageProps, 'job' | 'upcoming' | 'now'>) {
  return (
    <Panel title="Schedule">
      <div class="stack">
        <Facts
          of={{
            When: cronWords(job.cron),
            Cron: <code>{job.cron}</code>,
            Zone: job.timezone,
            Source: job.source ? (
              <a href={placeHref(job.source.file, job.source.line)}>
                <code>{`${job.source.file}:${job.source.line}`}</code>
              </a>
            ) : null,
          }}
        />
        {!job.enabled ? (
          <p class="fine">The schedule is off while the job is disabled.</p>
        ) : upcoming.length === 0 ? (
          <p class="fine">This schedule has no further due times.</p>
        ) : (
          <div>
            <h3>Due next</h3>
            <ol class="plain">
              {upcoming.map(slot => (
                <li>
                  <Time at={slot.at} now={now} zone={job.timezone} as="full" />
                  {slot.note ? <span class="sub">{slot.note}</span> : null}
                </li>
              ))}
            </ol>
          </div>
        )}
      </div>
    </Panel>
  )
}

export function TrendPanel({ recent }: { recent: readonly Run[] }) {
  if (recent.length === 0) return null
  const over = recent.filter(isOver)
  const durations = over.flatMap(run => (run.durationMs === null ? [] : [run.durationMs])).toReversed()
  const good = over.filter(run => run.status === 'succeeded').length
  const longest = durations.length === 0 ? null : Math.max(...durations)
  return (
    <Panel title={recent.length === 1 ? 'Last run' : `Last ${recent.length} runs`}>
      <div class="stack">
        <RunStrip runs={recent} places={40} height={34} href={run => `/runs/${run.id}`} />
        <Facts
          of={{
            Succeeded: over.length === 0 ? null : `${good} of ${over.length}`,
            Median: durations.length === 0 ? null : <Duration ms={median(durations)} />,
            Longest: longest === null ? null : <Duration ms={longest} />,
          }}
        />
        <Sparkline values={durations} />
      </div>
    </Panel>
  )
}

export function SlotPanel({ slots, zone, now }: Pick<JobPageProps, 'slots' | 'now'> & { zone: string }) {
  if (slots.length === 0) return null
  const seconds = slots.some(slot => slot.at % 60_000 !== 0)
  return (
    <Panel title="Last due times">
      <ol class="plain">
        {slots.map(slot => (
          <li class="pair">
            <Time at={slot.at} now={now} zone={zone} as="short" seconds={seconds} />
            <SlotStatus slot={slot} href={slot.runId ? `/runs/${slot.runId}` : undefined} />
            {slot.reason ? <span class="sub">{slot.reason}</span> : null}
          </li>
        ))}
      </ol>
    </Panel>
  )
}

function BadgePanel({ badge, job }: Pick<JobPageProps, 'badge' | 'job'>) {
  const action = `/api/jobs/${job.id}/badge`
  return (
    <Panel title="Badge">
      <div class="stack">
        {badge.public ? (
          <>
            <p>
              <img src={`/badges/${job.id}.svg`} height="20" alt={`Badge of ${job.id}`} />
            </p>
            <pre class="code">{`![${job.id}](${badge.src})`}</pre>
          </>
        ) : (
          <p class="fine">
            A small image for READMEs and other pages that shows whether the last run succeeded. It is not
            public until you publish it.
          </p>
        )}
        <PostButton action={action} fields={{ public: badge.public ? 'false' : 'true' }}>
          {badge.public ? 'Unpublish badge' : 'Publish badge'}
        </PostButton>
      </div>
    </Panel>
  )
}
