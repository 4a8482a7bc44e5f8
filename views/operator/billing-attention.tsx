import type { Attention } from '../../plugins/billing/contract.ts'
import type { Shape, Tone } from '../components/mark.tsx'
import { Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { NotYet, Time } from '../components/time.tsx'

const looks: Record<Attention['kind'], { tone: Tone; shape: Shape; word: string }> = {
  'two-subscriptions': { tone: 'warn', shape: 'triangle', word: 'Pays twice' },
  'paid-when-closed': { tone: 'warn', shape: 'triangle', word: 'Paid after closing' },
  'dispute-to-answer': { tone: 'bad', shape: 'cross', word: 'Dispute to answer' },
  'dispute-waits': { tone: 'idle', shape: 'clock', word: 'Dispute under review' },
  'dispute-lost': { tone: 'warn', shape: 'triangle', word: 'Dispute lost' },
  'collection-paused': { tone: 'idle', shape: 'clock', word: 'Collection paused' },
}

/** Matters that only the operator can resolve, at Stripe. Renders nothing when there are none. */
export function AttentionPanel({ of, now }: { of: readonly Attention[]; now: number }) {
  if (of.length === 0) return null
  return (
    <Panel title="Needs your attention" aside={String(of.length)} flush>
      <Table
        caption="Matters that only you can resolve, at Stripe"
        rows={of}
        rowId={({ id }) => `attention-${id}`}
        columns={[
          { label: 'Account', kind: 'lead', cell: ({ email, accountId }) => email ?? accountId },
          { label: 'Matter', cell: matter => <Matter {...matter} /> },
          {
            label: 'Until',
            cell: ({ until }) =>
              until === null ? <NotYet words="no date" /> : <Time at={until} now={now} />,
          },
          {
            label: 'Actions',
            kind: 'end',
            cell: ({ url }) => (
              <a class="button" href={url} rel="noreferrer">
                Open at Stripe
              </a>
            ),
          },
        ]}
      />
    </Panel>
  )
}

function Matter({ kind, what, todo }: Attention) {
  const { tone, shape, word } = looks[kind]
  return (
    <>
      <Badge tone={tone} shape={shape}>
        {word}
      </Badge>
      <span class="sub">
        {what} {todo}
      </span>
    </>
  )
}
