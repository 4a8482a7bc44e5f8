import type { Job, Run, RunBrief } from '../../../runtime/jobs/contract.ts'
import { PostButton } from '../../components/button.tsx'
import { type DayLane, DayTimeline } from '../../components/charts/day-timeline.tsx'
import { type PastLane, PastTimeline } from '../../components/charts/past-timeline.tsx'
import { RunStrip } from '../../components/charts/run-strip.tsx'
import { listAddress } from '../../components/list-address.ts'
import { Live } from '../../components/live.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Search } from '../../components/search.tsx'
import { Badge, RunStatus } from '../../components/status.tsx'
import { Pages, Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'
import { ManifestBadge, ManifestProblems, type ManifestWithExcerpts } from '../manifest-panel.tsx'
import { cronWords } from './cron-words.ts'

export interface JobsPageProps {
  now: number
  manifest: ManifestWithExcerpts
  /** What prevents jobs from starting on time, in words; empty when nothing does. */
  trouble: readonly string[]
  /** The jobs on this page of the list. */
  jobs: readonly (Job & { recent: readonly RunBrief[] })[]
  /** The searched words, '' for none, and the position in the results. */
  list: { search: string; total: number; limit: number; offset: number }
  /** Their due times in the next 24 hours, in one zone. */
  day: { zone: string; lanes: readonly DayLane[] }
  /** The results of their due times in the previous 24 hours. */
  past: readonly PastLane[]
}

/** All jobs; also the fragment that htmx polls. */
export function JobsPage(props: JobsPageProps) {
  const { now, manifest, trouble, jobs, list, day, past } = props
  const { search, total, limit, offset } = list
  const address = (to: number) => listAddress('/', { search, offset: to })
  return (
    <Live id="jobs" src={address(offset)} everySeconds={jobs.length > 25 ? 5 : 2}>
      <div>
        <PageHead
          title="Jobs"
          status={<ManifestBadge manifest={manifest} now={now} />}
          actions={
            search || total > 20 ? (
              <Search
                action="/"
                words={search}
                label="Search jobs by id or description"
                placeholder="Search jobs"
              />
            ) : null
          }
        />
        <div class="stack">
          {trouble.length > 0 ? (
            <Notice tone="bad" title="Jobs may not start on time">
              {trouble.map(words => (
                <p>{words}</p>
              ))}
            </Notice>
          ) : null}
          <ManifestProblems manifest={manifest} now={now} />
          <Panel flush>
            {jobs.length > 0 ? (
              <JobTable jobs={jobs} now={now} next={address(offset)} />
            ) : search || offset > 0 ? (
              <NothingFound search={search} />
            ) : (
              <NoJobs manifest={manifest} />
            )}
            <Pages total={total} limit={limit} offset={offset} href={address} ways={['Previous', 'Next']} />
          </Panel>
          {day.lanes.length > 0 ? (
            <div class="halves">
              <Panel title="Due in the past 24 hours" aside={`Times in ${day.zone}`}>
                <PastTimeline now={now} zone={day.zone} lanes={past} />
              </Panel>
              <Panel title="Due in the next 24 hours" aside={`Times in ${day.zone}`}>
                <DayTimeline from={now} zone={day.zone} lanes={day.lanes} />
              </Panel>
            </div>
          ) : null}
        </div>
      </div>
    </Live>
  )
}

function NothingFound({ search }: { search: string }) {
  return (
    <EmptyState title={search ? `No job has “${search}” in its id or description` : 'No jobs on this page'}>
      <p>
        <a href="/">All jobs</a>
      </p>
    </EmptyState>
  )
}

function JobTable({ jobs, now, next }: Pick<JobsPageProps, 'jobs' | 'now'> & { next: string }) {
  return (
    <Table
      caption="Jobs with their schedules and last runs"
      rows={jobs}
      rowId={job => `job-${job.id}`}
      columns={[
        {
          label: 'Job',
          kind: 'lead',
          cell: job => (
            <>
              <a class="name" href={`/jobs/${job.id}`}>
                {job.id}
              </a>
              {job.description ? <span class="sub">{job.description}</span> : null}
              <MissingSecrets names={job.missingSecrets} />
            </>
          ),
        },
        { label: 'Schedule', cell: job => <Schedule job={job} /> },
        { label: 'Next run', cell: job => <NextRun job={job} now={now} /> },
        { label: 'Last run', cell: job => <LastRun run={job.lastRun} now={now} /> },
        {
          label: 'History',
          cell: job => <RunStrip runs={job.recent} places={16} />,
        },
        {
          label: 'Actions',
          kind: 'end',
          cell: job => <JobActions job={job} next={`${next}#job-${job.id}`} />,
        },
      ]}
    />
  )
}

function MissingSecrets({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <span class="sub">
      <Badge tone="warn" shape="triangle">
        {names.length === 1 ? 'Secret missing' : `${names.length} secrets missing`}
      </Badge>{' '}
      {names.map((name, i) => (
        <>
          {i > 0 ? ', ' : ''}
          <a href={`/secrets?name=${name}#set`}>{name}</a>
        </>
      ))}
    </span>
  )
}

function Schedule({ job }: { job: Job }) {
  const words = cronWords(job.cron)
  return (
    <>
      {words ?? 'Custom schedule'}
      <span class="sub">
        <code>{job.cron}</code> · {job.timezone}
      </span>
    </>
  )
}

function NextRun({ job, now }: { job: Job; now: number }) {
  if (!job.enabled) {
    return (
      <Badge tone="idle" shape="slash">
        Disabled
      </Badge>
    )
  }
  if (job.nextRunAt === null) return <NotYet words="never again" />
  return (
    <>
      <Time at={job.nextRunAt} now={now} />
      <span class="sub">
        <Time at={job.nextRunAt} now={now} zone={job.timezone} as="short" />
      </span>
    </>
  )
}

function LastRun({ run, now }: { run: Run | null; now: number }) {
  if (!run) return <NotYet words="has not run yet" />
  return (
    <>
      <RunStatus status={run.status} href={`/runs/${run.id}`} />
      <span class="sub">
        <a href={`/runs/${run.id}`}>
          <Time at={run.finishedAt ?? run.startedAt ?? run.queuedAt} now={now} />
        </a>
      </span>
    </>
  )
}

/** Run now redirects to the run's page. `next` is where to redirect a browser after enabling or disabling. */
export function JobActions({ job, next }: { job: Job; next?: string }) {
  const fields = next ? { next } : {}
  const look = next ? 'plain' : 'primary'
  return (
    <div class="actions">
      <PostButton action={`/api/jobs/${job.id}/run`} look={look} about={job.id}>
        Run now
      </PostButton>
      {job.params && !next ? (
        <a class="button" href={`/jobs/${job.id}/run`}>
          Run with…
        </a>
      ) : null}
      {job.enabled ? (
        <PostButton action={`/api/jobs/${job.id}/disable`} fields={fields} look="quiet" about={job.id}>
          Disable
        </PostButton>
      ) : (
        <PostButton
          action={`/api/jobs/${job.id}/enable`}
          fields={fields}
          look={next ? 'primary' : 'plain'}
          about={job.id}
        >
          Enable
        </PostButton>
      )}
    </div>
  )
}

const firstJob = `jobRegistry.register({
  id: 'daily-digest',
  cron: '0 8 * * *',
  func: dailyDigest,
  description: 'Send my daily summary.',
})`

function NoJobs({ manifest }: { manifest: ManifestWithExcerpts }) {
  if (manifest.status === 'loading') {
    return (
      <EmptyState title="Loading the manifest">
        <p>The jobs appear here when it has loaded.</p>
      </EmptyState>
    )
  }
  return (
    <EmptyState title="No jobs are registered">
      <p>
        Register one in <code>manifest.ts</code> of the jobs repo and save. The job is live within a second.
      </p>
      <pre class="code">{firstJob}</pre>
      <p>
        <a href="/repo">How to change the jobs repo</a>
      </p>
    </EmptyState>
  )
}
