import { Confirm, PostButton } from '../components/button.tsx'
import { bytesInWords, coresInWords } from '../components/bytes.ts'
import { DiskUse } from '../components/disk-use.tsx'
import { Live } from '../components/live.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { InstanceStatus } from '../components/status.tsx'
import { StepList } from '../components/steps.tsx'
import { Duration, NotYet, Time } from '../components/time.tsx'
import { keptWords } from '../components/time-words.ts'
import { isBusy, type OwnedInstanceView, type OwnedWork } from './owned-instance.ts'

export interface OwnedInstanceProps {
  instance: OwnedInstanceView
  /** How long data is kept after a removal; null for ever. */
  keptMs: number | null
  /** The plan or trial, as the start of a sentence: `The plan Basic`; null for none. */
  plan: string | null
  now: number
}

/** One of an owner's instances. The whole page is live. */
export function OwnedInstanceLive({ instance, keptMs, plan, now }: OwnedInstanceProps) {
  const { subdomain, status, url, operation, limits, usage, runs } = instance
  return (
    <Live id="instance" src={`/instances/${subdomain}`} everySeconds={isBusy(instance) ? 1 : 5}>
      <PageHead
        title={subdomain}
        crumb={{ href: '/instances', label: 'Instances' }}
        status={<InstanceStatus status={status} />}
        lead={
          <span class="link-row">
            {status === 'deleted' ? null : <a href={url}>{url}</a>}
            {instance.trafficPage ? <a href={instance.trafficPage}>Traffic</a> : null}
          </span>
        }
        actions={<Actions {...instance} />}
      />
      {instance.suspension === null ? null : (
        <Notice tone="warn" title="This instance is suspended">
          <p>
            {instance.suspension} All data is kept. <a href="/billing">See your plan</a>.
          </p>
        </Notice>
      )}
      <Trouble {...instance} />
      {operation && operation.status !== 'succeeded' ? <Work work={operation} now={now} /> : null}
      <Panel>
        <Facts
          of={{
            'Last healthy':
              instance.lastHealthAt === null ? <NotYet /> : <Time at={instance.lastHealthAt} now={now} />,
            CPU: <PartOf used={usage?.cpu ?? null} limit={limits.cpus} words={coresInWords} />,
            Memory: (
              <PartOf used={usage?.memoryBytes ?? null} limit={limits.memoryBytes} words={bytesInWords} />
            ),
            Runs: <PartOf used={runs?.running ?? null} limit={limits.runsAtOnce} words={String} />,
            Disk:
              instance.disk.usedBytes === null ? null : (
                <DiskUse usedBytes={instance.disk.usedBytes} limitBytes={instance.disk.limitBytes} />
              ),
            Created: <Time at={instance.createdAt} now={now} as="full" />,
            Costs: instance.billed ? null : 'nothing: exempt from payment, and counts against no plan',
            Removed:
              instance.deletedAt === null ? null : <Time at={instance.deletedAt} now={now} as="full" />,
          }}
        />
      </Panel>
      {status === 'deleted' || status === 'deprovisioning' ? (
        <Kept {...instance} now={now} />
      ) : (
        <>
          <Addresses subdomain={subdomain} />
          <Download subdomain={subdomain} />
          <Password subdomain={subdomain} />
          <Removal subdomain={subdomain} keptMs={keptMs} plan={instance.billed ? plan : null} />
        </>
      )}
    </Live>
  )
}

function Actions({ subdomain, status, url, suspension, reachable }: OwnedInstanceView) {
  const action = (verb: string) => `/instances/${subdomain}/${verb}`
  if (status === 'deleted' || status === 'deprovisioning') return null
  const down = status === 'stopped' || status === 'failed'
  return (
    <>
      {reachable ? (
        <a class="button primary" href={`${url}/auth/sso`}>
          Open
        </a>
      ) : null}
      {suspension !== null ? null : down ? (
        <PostButton action={action('start')} look="primary">
          Start
        </PostButton>
      ) : (
        <>
          <PostButton action={action('restart')}>Restart</PostButton>
          <PostButton action={action('stop')}>Stop</PostButton>
        </>
      )}
    </>
  )
}

function Addresses({ subdomain }: { subdomain: string }) {
  return (
    <Panel title="Addresses">
      <div class="stack">
        <p>
          Give the instance names of your own, such as jobs.example.org, and decide who may open it at all.
        </p>
        <p class="actions">
          <a class="button" href={`/instances/${subdomain}/domains`}>
            Domains
          </a>
          <a class="button" href={`/instances/${subdomain}/gate`}>
            Gate
          </a>
        </p>
      </div>
    </Panel>
  )
}

function Download({ subdomain }: { subdomain: string }) {
  return (
    <Panel title="Your data">
      <div class="stack">
        <p>
          Download everything as one archive: the jobs with their history, runs, logs and state. The values of
          secrets are in it in sealed form only, and packages are not.
        </p>
        <p>
          <a class="button" href={`/instances/${subdomain}/archive`} download>
            Download archive
          </a>
        </p>
        <Confirm
          ask="Bring back an archive…"
          confirm="Replace the data"
          action={`/instances/${subdomain}/archive`}
          withFile
        >
          <p>
            The archive is checked and tried out first, which may take some minutes. Then the data that the
            instance has now are copied, and those of the archive take their place; if the instance does not
            start on them, the data of now are put back. Due times that have passed are not run again, and
            everyone is signed out.
          </p>
          <label class="check">
            <input type="checkbox" name="foreign" value="true" /> The archive is of another instance
          </label>
          <div class="field">
            <label for="field-archive">Archive</label>
            <input id="field-archive" type="file" name="archive" accept=".tar.gz,application/gzip" required />
          </div>
        </Confirm>
      </div>
    </Panel>
  )
}

function Trouble({ status, reachable }: OwnedInstanceView) {
  if (status !== 'failed' && status !== 'unhealthy') return null
  return status === 'failed' ? (
    <Notice tone="bad" title="The instance could not start">
      <p>
        Your data is unchanged. Temporary failures are retried. The operator of this site can see the reason.
      </p>
    </Notice>
  ) : (
    <Notice tone="warn" title="The instance is unhealthy">
      <p>
        {reachable
          ? 'You can still open it. It answers, but one of its own checks fails, such as a full disk or a late scheduler. '
          : 'It does not respond. '}
        Your data is unchanged. The instance is checked again every few seconds. A restart may help.
      </p>
    </Notice>
  )
}

const titles: Readonly<Record<string, string>> = {
  provision: 'Setup',
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  upgrade: 'Upgrade',
  restore: 'Restore',
  'restore-new': 'Restore',
  'reset-password': 'New password',
  transfer: 'Change of owner',
  deprovision: 'Removal',
  purge: 'Deletion',
}
const outcomes = {
  pending: 'waiting',
  running: 'in progress',
  succeeded: 'done',
  failed: 'failed',
  superseded: 'superseded by a newer one',
}

function Work({ work, now }: { work: OwnedWork; now: number }) {
  const title = titles[work.kind] ?? work.kind
  const tookMs = work.startedAt === null ? null : (work.finishedAt ?? now) - work.startedAt
  return (
    <Panel
      title={`${title}: ${outcomes[work.status]}`}
      aside={
        <>
          <Time at={work.createdAt} now={now} /> · <Duration ms={tookMs} />
        </>
      }
    >
      <StepList
        label={`Steps of ${title}`}
        steps={work.steps.map(step => ({
          name: step.name,
          state: step.status === 'pending' && work.finishedAt !== null ? 'skipped' : step.status,
          durationMs: step.startedAt === null ? null : (step.finishedAt ?? now) - step.startedAt,
        }))}
      />
    </Panel>
  )
}

function Password({ subdomain }: { subdomain: string }) {
  return (
    <Panel title="Password">
      <div class="stack">
        <p>The password is not stored, so it cannot be shown. It can only be reset.</p>
        <Confirm
          ask="Reset password…"
          confirm="Create a new password"
          look="plain"
          action={`/instances/${subdomain}/reset-password`}
        >
          <p>
            The old password stops working, and everyone is signed out. The new one is shown once. A running
            instance is restarted. API tokens keep working.
          </p>
        </Confirm>
      </div>
    </Panel>
  )
}

function Removal({
  subdomain,
  keptMs,
  plan,
}: Pick<OwnedInstanceProps, 'keptMs' | 'plan'> & { subdomain: string }) {
  return (
    <Panel title="Remove" id="remove">
      <Confirm ask="Remove instance…" confirm="Remove it" action={`/instances/${subdomain}/remove`}>
        <p>
          Its jobs stop. Its data and the name <code>{subdomain}</code> are kept {keptWords(keptMs)}, and one
          click brings everything back.
        </p>
        {plan === null ? null : (
          <p>
            {plan} continues without it. <a href="/billing">See your plan</a>.
          </p>
        )}
      </Confirm>
    </Panel>
  )
}

function Kept({ subdomain, purgeAt, suspension, now }: OwnedInstanceView & { now: number }) {
  return (
    <Panel title="Your data is kept">
      <div class="stack">
        <p>
          {suspension === null
            ? 'You can restore the instance with all its data and its old password.'
            : 'You can restore the instance, with all its data and its old password, as soon as your plan allows it.'}
          {purgeAt === null ? null : (
            <>
              {' '}
              On <Time at={purgeAt} now={now} as="full" />, the data will be deleted for good.
            </>
          )}
        </p>
        {suspension === null ? (
          <PostButton action={`/instances/${subdomain}/restore`} look="primary">
            Restore instance
          </PostButton>
        ) : (
          <p>
            <a class="button primary" href="/billing">
              See your plan
            </a>
          </p>
        )}
      </div>
    </Panel>
  )
}

/** What is taken of what may be taken; while it is not known, only the limit. */
function PartOf(props: { used: number | null; limit: number; words(value: number): string }) {
  const { used, limit, words } = props
  return (
    <>
      {used === null ? 'at most ' : `${words(used)} of `}
      {words(limit)}
    </>
  )
}
