import type { InstanceUsage, RunsNow, UsagePeriod } from '../../../plugins/provisioner/contract.ts'
import { PostButton } from '../../components/button.tsx'
import { Live } from '../../components/live.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { InstanceStatus } from '../../components/status.tsx'
import { StepList } from '../../components/steps.tsx'
import { Duration, NotYet, Time } from '../../components/time.tsx'
import { IfPermitted } from '../../permits.tsx'
import { Copies, type CopiesProps } from './instance-copies.tsx'
import { DangerZone } from './instance-danger.tsx'
import { Earlier, Health, operationTitle } from './instance-history.tsx'
import { Now } from './instance-now.tsx'
import { Payment } from './instance-payment.tsx'
import { Kept } from './instance-removal.tsx'
import { Upgrade } from './instance-upgrade.tsx'
import { Usage } from './instance-usage.tsx'
import type { HealthView, InstanceView, OperationView } from './instance-view.ts'
import { VolumeTrouble } from './instance-volume.tsx'

export interface InstanceProps {
  instance: InstanceView
  /** Newest first. */
  operations: readonly OperationView[]
  health: HealthView
  copies: CopiesProps['overview']
  /** What it takes now, and took in the period; null where nothing is measured. */
  usage: InstanceUsage | null
  /** The address of the page of its traffic; null where that is not counted. */
  trafficPage: string | null
  period: UsagePeriod
  runs: RunsNow | null
  /** What is wrong with the name that was typed to delete its data; null when nothing was. */
  purgeFault?: string | null
  now: number
}

/** The page right after provisioning. It shows the password, this one time. */
export function CreatedPage({ password, ...props }: InstanceProps & { password: string }) {
  const { subdomain, url } = props.instance
  return (
    <div class="stack">
      <Panel title="The instance’s password">
        <div class="stack">
          <p>
            Give it to the owner now. It is not stored and <strong>not shown again</strong>.
          </p>
          <p>
            <code class="secret">{password}</code>
          </p>
          <p>
            The owner signs in with it at <a href={url}>{url}</a>.{' '}
            <a href={`/admin/instances/${subdomain}`}>Continue to the instance</a>
          </p>
        </div>
      </Panel>
      <InstanceLive {...props} />
    </div>
  )
}

/** The live part of the page. */
export function InstanceLive(props: InstanceProps) {
  const { instance, operations, health, copies, usage, period, runs, purgeFault = null, now } = props
  const { subdomain, status, url } = instance
  const [latest, ...earlier] = operations
  const busy = latest?.status === 'pending' || latest?.status === 'running'
  return (
    <Live
      id="instance"
      src={`/admin/instances/${subdomain}${period === 'day' ? '' : `?period=${period}`}`}
      everySeconds={purgeFault !== null ? null : busy ? 1 : 5}
    >
      <PageHead
        title={subdomain}
        crumb={{ href: '/admin/instances', label: 'Instances' }}
        status={<InstanceStatus status={status} />}
        lead={
          <span class="link-row">
            {status === 'deleted' ? null : <a href={url}>{url}</a>}
            {props.trafficPage ? <a href={props.trafficPage}>Traffic</a> : null}
          </span>
        }
        actions={<Actions {...instance} />}
      />
      <Now
        {...{ instance, copies, runs, now }}
        availability={health.availability}
        usage={usage?.now ?? null}
      />
      <VolumeTrouble {...instance} />
      {(status === 'failed' && instance.volumeFault === null) || status === 'unhealthy' ? (
        <Notice
          tone={status === 'failed' ? 'bad' : 'warn'}
          title={status === 'failed' ? 'The instance failed' : 'The instance is unhealthy'}
        >
          {instance.statusReason ? <pre class="bare">{instance.statusReason}</pre> : null}
          <p>
            The volume is unchanged.{' '}
            {status === 'failed'
              ? 'Fix the cause, then start the instance again.'
              : 'The instance is checked again every few seconds.'}
            {instance.reachable ? ' The instance still answers, so requests reach it.' : null}
          </p>
        </Notice>
      ) : null}
      <Suspension {...instance} now={now} />
      {instance.outdated ? (
        <Notice tone="warn" title="Running with older settings">
          <p>
            The control plane’s settings have changed since the container was created. Restart the instance to
            apply the new settings.
          </p>
        </Notice>
      ) : null}
      {instance.variablesWait ? (
        <Notice tone="warn" title="Changed variables apply at the next restart">
          <p>
            The <a href={`/admin/instances/${subdomain}/environment`}>environment</a> was changed since the
            container was created.
          </p>
        </Notice>
      ) : null}
      <Upgrade {...instance} busy={busy} />
      <Usage {...{ subdomain, period, usage }} limits={instance.limits} />
      {latest ? <LatestOperation operation={latest} now={now} /> : null}
      <Health health={health} now={now} />
      <Earlier operations={earlier} now={now} />
      <Panel title="Details">
        <Facts
          of={{
            Owner: instance.ownerEmail,
            'Owner changed':
              instance.ownerChangedAt === null ? null : (
                <Time at={instance.ownerChangedAt} now={now} as="full" />
              ),
            Id: <code>{instance.id}</code>,
            'Last healthy':
              instance.lastHealthAt === null ? <NotYet /> : <Time at={instance.lastHealthAt} now={now} />,
            'Desired state': instance.desired,
            Driver: instance.driver,
            Version: instance.version,
            Image: instance.image ? <code>{instance.image}</code> : null,
            Volume: <code>{instance.volume}</code>,
            Created: <Time at={instance.createdAt} now={now} as="full" />,
            Removed:
              instance.deletedAt === null ? null : <Time at={instance.deletedAt} now={now} as="full" />,
          }}
        />
      </Panel>
      <Copies subdomain={subdomain} removed={status === 'deleted'} overview={copies} now={now} />
      <Payment {...instance} />
      {status === 'deleted' ? (
        <Kept {...instance} purgeFault={purgeFault} now={now} />
      ) : (
        <DangerZone
          {...instance}
          {...{ busy, purgeFault, now }}
          restorable={copies?.copies.some(copy => copy.status === 'kept') ?? false}
        />
      )}
    </Live>
  )
}

function Suspension({ suspension, suspendedAt, desired, now }: InstanceView & { now: number }) {
  if (suspension === null || suspendedAt === null || desired === 'deleted') return null
  return (
    <Notice tone="warn" title="This instance is suspended">
      <p>
        {suspension} Suspended since <Time at={suspendedAt} now={now} as="full" />. When the suspension ends,{' '}
        {desired === 'running' ? 'it starts by itself' : 'you can start it again'}.
      </p>
    </Notice>
  )
}

function Actions({ subdomain, status, url, suspension, reachable }: InstanceView) {
  const action = (verb: string) => `/admin/instances/${subdomain}/${verb}`
  if (status === 'deleted' || status === 'deprovisioning' || suspension !== null) return null
  const down = status === 'stopped' || status === 'failed'
  return (
    <>
      <IfPermitted href={`/admin/instances/${subdomain}/log`}>
        <a class="button" href={`/admin/instances/${subdomain}/log`}>
          Log
        </a>
      </IfPermitted>
      <IfPermitted href={`/admin/instances/${subdomain}/environment`}>
        <a class="button" href={`/admin/instances/${subdomain}/environment`}>
          Environment
        </a>
      </IfPermitted>
      <IfPermitted href={`/admin/instances/${subdomain}/domains`}>
        <a class="button" href={`/admin/instances/${subdomain}/domains`}>
          Domains
        </a>
      </IfPermitted>
      <IfPermitted href={`/admin/instances/${subdomain}/gate`}>
        <a class="button" href={`/admin/instances/${subdomain}/gate`}>
          Gate
        </a>
      </IfPermitted>
      {reachable ? (
        <a class="button" href={url}>
          Open
        </a>
      ) : null}
      {down ? (
        <PostButton action={action('start')} look="primary">
          Start
        </PostButton>
      ) : null}
    </>
  )
}

function LatestOperation({ operation, now }: { operation: OperationView; now: number }) {
  const { title, actor, status, error, steps, createdAt, durationMs } = operation
  return (
    <Panel
      title={operationTitle(operation)}
      aside={
        <>
          {actor === null ? null : <>by {actor} · </>}
          <Time at={createdAt} now={now} /> · <Duration ms={durationMs} />
        </>
      }
    >
      {error === null || status !== 'failed' ? null : <pre class="bare">{error}</pre>}
      <StepList steps={steps} label={`Steps of ${title}`} />
    </Panel>
  )
}
