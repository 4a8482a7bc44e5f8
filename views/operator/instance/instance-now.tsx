import type { Child } from 'hono/jsx'
import type { CopiesOverview, RunsNow, UsageNow } from '../../../plugins/provisioner/contract.ts'
import { bytesInWords, coresInWords } from '../../components/bytes.ts'
import { Mark } from '../../components/mark.tsx'
import { NotYet, Time } from '../../components/time.tsx'
import { durationWords } from '../../components/time-words.ts'
import { percentInWords } from './instance-history.tsx'
import type { HealthView, InstanceView } from './instance-view.ts'

export interface NowProps {
  instance: InstanceView
  copies: CopiesOverview | null
  /** Null while it does not run, or was not measured. */
  usage: UsageNow | null
  availability: HealthView['availability']
  /** Null while the instance has not said. */
  runs: RunsNow | null
  now: number
}

/** The first thing on the page: how the instance is now. */
export function Now({ instance, copies, usage, availability, runs, now }: NowProps) {
  const { limits, version, behind, ownerEmail, plan } = instance
  const { disk } = limits
  return (
    <dl class="now-tiles" aria-label="Now">
      <Tile name="Up for">
        {usage === null || usage.startedAt === null ? (
          <NotYet words={instance.status === 'running' ? 'not measured yet' : 'not running'} />
        ) : (
          <span class="nowrap">{durationWords(Math.max(0, now - usage.startedAt))}</span>
        )}
        {availability.day === null ? null : (
          <span class="sub">available {percentInWords(availability.day)} in 24 h</span>
        )}
      </Tile>
      <Tile name="Version">
        {version ?? <NotYet words="not known yet" />}
        {behind ? (
          <span class="mark-line tone-warn">
            <Mark shape="triangle" /> behind
          </span>
        ) : null}
      </Tile>
      <Tile name="Runs" part={runs && part(runs.running, limits.runsAtOnce)}>
        {of(runs && String(runs.running), String(limits.runsAtOnce))}
        {runs && runs.queued > 0 ? <span class="sub">{runs.queued} queued</span> : null}
      </Tile>
      <Tile name="CPU" part={usage?.cpu == null ? null : part(usage.cpu, limits.cpus)}>
        {of(usage?.cpu == null ? null : coresInWords(usage.cpu), String(limits.cpus))}
      </Tile>
      <Tile name="Memory" part={usage && part(usage.memoryBytes, limits.memoryBytes)}>
        {of(usage && bytesInWords(usage.memoryBytes), bytesInWords(limits.memoryBytes))}
      </Tile>
      <Tile
        name="Disk"
        part={
          disk.usedBytes === null || disk.limitBytes === null ? null : part(disk.usedBytes, disk.limitBytes)
        }
      >
        {of(
          disk.usedBytes === null ? null : bytesInWords(disk.usedBytes),
          disk.limitBytes === null ? null : bytesInWords(disk.limitBytes),
        )}
        {disk.limitBytes === null ? null : (
          <span class="sub">
            {disk.quotaBytes === null ? 'watched, no quota set' : `quota ${bytesInWords(disk.quotaBytes)}`}
          </span>
        )}
      </Tile>
      <Tile name="Processes" part={usage && part(usage.processes, limits.pids)}>
        {of(usage && String(usage.processes), String(limits.pids))}
      </Tile>
      <Backup copies={copies} now={now} />
      <Tile name="Owner">
        <span class="long">
          {ownerEmail.split('@').map((part, at) => (at === 0 ? part : [<wbr />, `@${part}`]))}
        </span>
      </Tile>
      {plan === null ? null : <Tile name="Plan">{plan}</Tile>}
    </dl>
  )
}

function Backup({ copies, now }: Pick<NowProps, 'copies' | 'now'>) {
  if (copies === null) return null
  const last = copies.copies.find(({ status }) => status === 'kept')
  return (
    <Tile name="Last backup">
      {last ? <Time at={last.createdAt} now={now} /> : <NotYet words="none yet" />}
      <span class="sub">
        {copies.lastProven ? (
          <>
            restore proven <Time at={copies.lastProven.at} now={now} />
          </>
        ) : (
          'no restore proven yet'
        )}
      </span>
    </Tile>
  )
}

/** What is taken of what may be taken: `60 MiB of 512 MiB`. */
const of = (used: string | null, limit: string | null) => (
  <span>
    {used ?? <NotYet words="not measured" />}
    {limit === null ? null : <span class="soft"> of {limit}</span>}
  </span>
)

const part = (used: number, limit: number) => used / limit

function Tile({ name, part = null, children }: { name: string; part?: number | null; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {children}
        {part === null ? null : (
          <meter min={0} max={1} high={0.8} optimum={0} value={Math.min(1, part)} aria-hidden="true" />
        )}
      </dd>
    </div>
  )
}
