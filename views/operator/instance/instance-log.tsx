import type { LogLine } from '../../../runtime/jobs/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Live } from '../../components/live.tsx'
import { LogView } from '../../components/log/log-view.tsx'
import { EmptyState, Notice, PageHead } from '../../components/panel.tsx'

export interface InstanceLogProps {
  subdomain: string
  lines: readonly LogLine[]
  /** Why it cannot be read, in words; null when it can. */
  fault: string | null
  search: string
  since: string
  until: string
  /** How many lines are shown at most. */
  count: number
}

/** The log of an instance's program. */
export function InstanceLogPage(props: InstanceLogProps) {
  const { subdomain, search, since, until, count } = props
  const choices = [...new Set([100, 500, 2000, 5000, count])].sort((a, b) => a - b).map(String)
  return (
    <div class="stack">
      <PageHead
        title={`Log of ${subdomain}`}
        crumb={{ href: `/admin/instances/${subdomain}`, label: subdomain }}
        lead="What the instance’s own program wrote since its container was created, with secrets masked. What jobs write is in the instance, with each run."
      />
      <form method="get" action={pathOf(subdomain)} class="log-form">
        <Field name="search" label="Search" value={search} spellcheck={false} />
        <Field
          name="since"
          label="Since"
          value={since}
          placeholder="15m, 2h, 2026-01-31T08:00Z"
          spellcheck={false}
        />
        <Field name="until" label="Until" value={until} placeholder="now" spellcheck={false} />
        <Field
          name="lines"
          label="Lines"
          value={String(count)}
          options={choices.map(value => ({ value, label: value }))}
        />
        <Button>Show</Button>
      </form>
      <InstanceLogLive {...props} />
    </div>
  )
}

/** Its live part. A log that ends at a moment, or is searched, stays as it is. */
export function InstanceLogLive({ subdomain, lines, fault, search, since, until, count }: InstanceLogProps) {
  const query = new URLSearchParams({ search, since, until, lines: String(count) })
  const isLive = until === '' && search === ''
  return (
    <Live id="log" src={`${pathOf(subdomain)}?${query}`} everySeconds={isLive ? 3 : null}>
      {fault === null ? null : (
        <Notice tone="bad" title="The log cannot be read now">
          <p>{fault}</p>
        </Notice>
      )}
      {lines.length > 0 ? (
        <LogView lines={lines} zone="UTC" first={1} line={null} cut={false} find={search} />
      ) : fault === null ? (
        <EmptyState title={search === '' ? 'No lines' : 'No line has these words'}>
          <p>
            {search === '' && since === '' && until === ''
              ? 'The instance has no container, or its program has not written anything yet.'
              : 'Choose a longer time, or fewer words.'}
          </p>
        </EmptyState>
      ) : null}
    </Live>
  )
}

const pathOf = (subdomain: string) => `/admin/instances/${subdomain}/log`
