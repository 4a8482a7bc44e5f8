import type { RequestUse } from '../../plugins/billing/contract.ts'
import { Panel } from '../components/panel.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'

export interface RequestUseProps {
  now: number
  use: readonly RequestUse[]
  /** The plan's limit of requests a second; null for the limit of every instance. */
  limit: number | null
  /** The address under which instances have their pages. */
  base: string
}

/** How near instances come to the rate that their plan allows. Nothing where no requests are counted. */
export function RequestUsePanel({ now, use, limit, base }: RequestUseProps) {
  if (use.length === 0) return null
  return (
    <Panel title="Busiest minute of the last day" flush>
      <Table
        caption="The busiest minute of each instance in the last day"
        rows={use}
        rowId={({ subdomain }) => `use-${subdomain}`}
        columns={[
          {
            label: 'Instance',
            kind: 'lead',
            cell: ({ subdomain }) => <a href={`${base}/${subdomain}/traffic`}>{subdomain}</a>,
          },
          { label: 'When', cell: ({ at }) => <Time at={at} now={now} /> },
          {
            label: 'Requests a second',
            kind: 'number',
            cell: ({ perSecond }) => `${rateWords(perSecond)}${limit === null ? '' : ` of ${limit}`}`,
          },
          { label: 'Refused by a limit', kind: 'number', cell: ({ refused }) => String(refused) },
        ]}
      />
    </Panel>
  )
}

function rateWords(perSecond: number): string {
  if (perSecond < 0.1) return 'less than 0.1'
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))
}
