import type { FleetUpgradeState, MemberStatus } from '../../../plugins/upgrades/contract.ts'
import { Confirm, PostButton } from '../../components/button.tsx'
import { Live } from '../../components/live.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { durationWords } from '../../components/time-words.ts'
import { MemberState, UpgradeState } from './upgrade-words.tsx'

export interface UpgradePageProps {
  now: number
  id: string
  state: FleetUpgradeState
  reason: string | null
  image: string
  imageId: string
  by: string
  createdAt: number
  finishedAt: number | null
  parallel: number
  haltAfter: number
  soakMs: number
  /** How long until the next wave; null while no pause goes on. */
  soakLeftMs: number | null
  waves: readonly {
    wave: number
    total: number
    /** How its instances stand, in words. */
    counts: string
    canUndo: boolean
  }[]
  canUndo: boolean
  /** Those that need a look first. */
  members: readonly {
    subdomain: string
    wave: number
    status: MemberStatus
    reason: string | null
    startedAt: number | null
    finishedAt: number | null
  }[]
  /** How many more there are than are listed. */
  more: number
}

const closed: readonly FleetUpgradeState[] = ['done', 'cancelled', 'undone']
const still: readonly FleetUpgradeState[] = ['paused', 'halted']

/** One fleet upgrade: how it stands, and what can be done about it. */
export function UpgradePage(props: UpgradePageProps) {
  const { id, image, now, state, members, more } = props
  const path = `/admin/upgrades/${id}`
  const everySeconds = closed.includes(state) ? null : still.includes(state) ? 10 : 2
  return (
    <Live id="fleet-upgrade" src={path} everySeconds={everySeconds}>
      <PageHead
        title={
          <>
            Upgrade to <code>{image}</code>
          </>
        }
        crumb={{ href: '/admin/upgrades', label: 'Fleet upgrades' }}
        status={<UpgradeState state={state} />}
        actions={<Actions {...props} />}
      />
      <Situation {...props} />
      <Panel title="Waves" flush>
        <Table
          caption="Waves in their order"
          rows={props.waves}
          rowId={({ wave }) => `wave-${wave}`}
          columns={[
            { label: 'Wave', kind: 'lead', cell: ({ wave }) => `Wave ${wave}` },
            { label: 'Instances', kind: 'number', cell: ({ total }) => String(total) },
            { label: 'Progress', cell: ({ counts }) => counts },
            {
              label: 'Actions',
              kind: 'end',
              cell: ({ wave, canUndo }) =>
                canUndo ? <Undo path={path} wave={wave} ask="Undo…" about={`wave ${wave}`} /> : null,
            },
          ]}
        />
      </Panel>
      <Panel title="Instances" flush>
        <Table
          caption="Instances, those that need a look first"
          rows={members}
          rowId={({ subdomain }) => `member-${subdomain}`}
          columns={[
            {
              label: 'Instance',
              kind: 'lead',
              cell: ({ subdomain, reason }) => (
                <>
                  <a href={`/admin/instances/${subdomain}`}>{subdomain}</a>
                  {reason ? <div class="fine">{inBrief(reason)}</div> : null}
                </>
              ),
            },
            { label: 'Wave', kind: 'number', cell: ({ wave }) => String(wave) },
            { label: 'Status', cell: ({ status }) => <MemberState status={status} /> },
            {
              label: 'Took',
              kind: 'minor',
              cell: ({ startedAt, finishedAt }) =>
                startedAt !== null && finishedAt !== null
                  ? durationWords(Math.max(0, finishedAt - startedAt))
                  : '',
            },
            {
              label: 'Ended',
              kind: 'minor',
              cell: ({ finishedAt }) => (finishedAt === null ? '' : <Time at={finishedAt} now={now} />),
            },
          ]}
        />
        {more > 0 ? <p class="panel-body fine">and {more} more</p> : null}
      </Panel>
    </Live>
  )
}

/** What failed first, and at the end what became of the instance. The rest is on its own page. */
function inBrief(reason: string): string {
  const [first = '', ...rest] = reason.split('\n')
  const last = rest.at(-1)
  return [first, last]
    .flatMap(line => (line ? [line.length > 200 ? `${line.slice(0, 200)}…` : line] : []))
    .join(' … ')
}

function Situation(props: UpgradePageProps) {
  const { now, state, reason, imageId, by, createdAt, finishedAt, parallel, haltAfter, soakMs, soakLeftMs } =
    props
  return (
    <>
      {state === 'halted' ? (
        <Notice tone="bad" title="Halted">
          <p>{reason}</p>
          <p>
            No other upgrade begins. Failed instances have their previous image and data. Resume it to accept
            these failures, cancel it to leave things as they are, or undo it.
          </p>
        </Notice>
      ) : reason ? (
        <Notice tone="warn">
          <p>{reason}</p>
        </Notice>
      ) : null}
      {soakLeftMs !== null ? (
        <Notice tone="busy">
          <p>
            This wave is over. The next one begins in {durationWords(Math.ceil(soakLeftMs / 1000) * 1000)},
            unless an instance becomes unhealthy.
          </p>
        </Notice>
      ) : null}
      <Panel>
        <Facts
          of={{
            Started: (
              <>
                <Time at={createdAt} now={now} />, by {by}
              </>
            ),
            Ended: finishedAt === null ? null : <Time at={finishedAt} now={now} />,
            'Image id': <code>{imageId.slice(0, 19)}</code>,
            'At the same time': String(parallel),
            'Halts after': `${haltAfter} ${haltAfter === 1 ? 'failure' : 'failures'}`,
            'Between waves': soakMs === 0 ? 'no pause' : durationWords(soakMs),
          }}
        />
      </Panel>
    </>
  )
}

function Actions({ id, state, canUndo }: UpgradePageProps) {
  const path = `/admin/upgrades/${id}`
  return (
    <>
      {state === 'running' ? <PostButton action={`${path}/pause`}>Pause</PostButton> : null}
      {still.includes(state) ? (
        <PostButton action={`${path}/resume`} look="primary">
          Resume
        </PostButton>
      ) : null}
      {state === 'running' || still.includes(state) ? (
        <Confirm ask="Cancel…" confirm="Cancel the fleet upgrade" look="plain" action={`${path}/cancel`}>
          <p>Upgrades in progress end. What was upgraded stays so; no other instance is upgraded.</p>
        </Confirm>
      ) : null}
      {canUndo ? <Undo path={path} wave={null} ask="Undo…" about="all waves" /> : null}
    </>
  )
}

function Undo({ path, wave, ask, about }: { path: string; wave: number | null; ask: string; about: string }) {
  return (
    <Confirm
      ask={ask}
      confirm="Roll back"
      about={about}
      action={`${path}/undo`}
      {...(wave !== null && { fields: { wave: String(wave) } })}
    >
      <p>
        {wave === null
          ? 'Every instance that was upgraded'
          : `Every instance that was upgraded in wave ${wave}`}{' '}
        goes back to its previous image and data, the newest first.{' '}
        <strong>What was saved since is no longer in it.</strong> A backup of the current data is made first.
        No other instance is upgraded.
      </p>
    </Confirm>
  )
}
