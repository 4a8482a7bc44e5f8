import { PageHead, Panel } from '../components/panel.tsx'

export interface InstanceLimitView {
  most: number
  /** What says so, as the beginning of a sentence: `The plan Basic`. Null when only the site does. */
  by: string | null
  /** There is a plan with room for more. */
  larger: boolean
}

/** How many instances there may be, and why. */
export function limitWords({ most, by }: InstanceLimitView): string {
  return `${by ?? 'Your account'} has room for ${most === 1 ? 'one instance' : `${most} instances`}.`
}

export interface NoRoomPageProps {
  limit: InstanceLimitView
  /** Names of those that take the room. */
  taken: readonly string[]
}

/** Instead of the form for another instance: why there is none, and the ways to one. */
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
              <p>There is one with room for more. What you have runs on as it is.</p>
              <div class="actions">
                <a class="button primary" href="/billing">
                  See the plans
                </a>
              </div>
            </div>
          </Panel>
        ) : null}
        <Panel title={limit.larger ? 'Or remove one' : 'Remove one first'}>
          <div class="stack">
            <p>Its data and its name are kept for you for a while, and one click brings everything back.</p>
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
