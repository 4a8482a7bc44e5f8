import type { Plan } from '../../plugins/billing/contract.ts'
import { PostButton } from '../components/button.tsx'
import { bytesInWords } from '../components/bytes.ts'
import { Panel } from '../components/panel.tsx'
import { type Column, Table } from '../components/table.tsx'

export type PlanView = Omit<Plan, 'price'>

export const roomWords = ({ instances }: PlanView) => (instances === 1 ? 'one' : `up to ${instances}`)

/** `2 GiB of memory, 1.5 CPUs, 20 GiB of disk, 50 requests a second`; null for the default limits. */
export function sizeWords({ limits, traffic, domains }: PlanView): string | null {
  const { memoryBytes, cpus, diskBytes, runsAtOnce } = limits ?? {}
  const { requests, requestsPerSecond, bodyBytes } = traffic ?? {}
  const words = [
    memoryBytes !== undefined && `${bytesInWords(memoryBytes)} of memory`,
    cpus !== undefined && `${cpus} CPU${cpus === 1 ? '' : 's'}`,
    diskBytes !== undefined && `${bytesInWords(diskBytes)} of disk`,
    runsAtOnce !== undefined && `${counted(runsAtOnce, 'run')} at a time`,
    requests !== undefined && `${counted(requests, 'request')} at a time`,
    requestsPerSecond !== undefined && `${counted(requestsPerSecond, 'request')} a second`,
    bodyBytes !== undefined && `uploads up to ${bytesInWords(bodyBytes)}`,
    domains !== null &&
      (domains === 0 ? 'no domains of your own' : `${counted(domains, 'domain')} of your own`),
  ].filter(each => each !== false)
  return words.length === 0 ? null : words.join(', ')
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The columns that compare plans. */
function columns(plans: readonly PlanView[]): Column<PlanView>[] {
  const sizes = plans.some(plan => sizeWords(plan) !== null)
  return [
    { label: 'Plan', kind: 'lead', cell: plan => <strong>{plan.name}</strong> },
    { label: 'Costs', cell: plan => plan.cost },
    { label: 'Instances', cell: roomWords },
    ...(sizes
      ? [{ label: 'Each instance', cell: (plan: PlanView) => sizeWords(plan) ?? 'default size' }]
      : []),
  ]
}

/** For owners with a plan, who change it in the portal. */
export function OtherPlans({ plans }: { plans: readonly PlanView[] }) {
  return (
    <Panel title="Other plans" aside="To change your plan, use “Cards, invoices, cancel” above." flush>
      <Table caption="Other plans" rows={plans} rowId={plan => `plan-${plan.id}`} columns={columns(plans)} />
    </Panel>
  )
}

/** For owners without a plan. `trying`: a trial is in progress, and ordering ends it. */
export function Plans({ plans, trying }: { plans: readonly PlanView[]; trying: boolean }) {
  return (
    <Panel
      title="Choose a plan"
      aside={trying ? 'Billing starts at once and ends the trial.' : 'Billing starts at once.'}
      flush
    >
      <Table
        caption="Plans"
        rows={plans}
        rowId={plan => `plan-${plan.id}`}
        columns={[
          ...columns(plans),
          {
            label: 'Actions',
            kind: 'end',
            cell: plan => (
              <PostButton action="/checkout" fields={{ plan: plan.id }} look="primary" about={plan.name}>
                Choose
              </PostButton>
            ),
          },
        ]}
      />
    </Panel>
  )
}
