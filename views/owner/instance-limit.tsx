import type { InstanceLimit } from '../../plugins/provisioner/contract.ts'
import { PageHead, Panel } from '../components/panel.tsx'

/** How many instances the account may have, and why. */
export function limitWords({ most, by }: InstanceLimit): string {
  return `${by ?? 'Your account'} has room for ${most === 1 ? 'one instance' : `${most} instances`}.`
}

export interface NoRoomPageProps {
  limit: InstanceLimit
  /** Names of the instances that count against the limit. */
  taken: readonly string[]
}

/** Shown instead of the form for a new instance when the limit is reached. */
export function NoRoomPage({ limit, taken }: NoRoomPageProps) {
  return (
    <>
      <PageHead
        title="No room for another instance"
        crumb={{ href: '/instances', label: 'Instances' }}
        lead={`${limitWords(limit)} You have ${taken.length === 1 ? 'one' : taken.length}.`}
      />
      <div class="stack">
        {limit.larger ? (
          <Panel title="Choose a larger plan">
            <div class="stack">
              <p>A larger plan has room for more instances. Your current instances keep running.</p>
              <div class="actions">
                <a class="button primary" href="/billing">
                  See the plans
                </a>
              </div>
            </div>
          </Panel>
        ) : null}
        <Panel title={limit.larger ? 'Or remove an instance' : 'Remove an instance first'}>
          <div class="stack">
            <p>Its data and name are kept for a while, and one click brings everything back.</p>
            <div class="actions">
              {taken.map(subdomain => (
                <a class="button" href={`/instances/${subdomain}#remove`}>
                  Go to {subdomain}
                </a>
              ))}
            </div>
          </div>
        </Panel>
      </div>
    </>
  )
}
