import { browserWords } from '../../auth/browser-words.ts'
import { PostButton } from '../../components/button.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'

interface SessionView {
  id: string
  /** Who signed in; null for the admin token. */
  operator: string | null
  createdAt: number
  lastSeenAt: number
  /** Both null for one of an earlier version. */
  address: string | null
  browser: string | null
  current: boolean
}

export interface SessionsPageProps {
  now: number
  /** Newest first. */
  sessions: readonly SessionView[]
}

export function SessionsPage({ now, sessions }: SessionsPageProps) {
  return (
    <>
      <PageHead
        title="Sessions"
        crumb={{ href: '/admin/tokens', label: 'API tokens' }}
        lead="Browsers in which operators are signed in."
      />
      <Panel flush>
        {sessions.length === 0 ? (
          <EmptyState title="No browser is signed in" />
        ) : (
          <Table
            caption="Sessions, newest first"
            rows={sessions}
            rowId={session => `row-${session.id}`}
            columns={[
              {
                label: 'Operator',
                kind: 'lead',
                cell: ({ operator }) => operator ?? 'admin token',
              },
              {
                label: 'Browser',
                cell: ({ browser, address }) => (
                  <>
                    {browser === null ? 'Unknown' : browserWords(browser)}
                    {address === null ? null : <span class="sub">from {address}</span>}
                  </>
                ),
              },
              { label: 'Signed in', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
              { label: 'Last seen', cell: ({ lastSeenAt }) => <Time at={lastSeenAt} now={now} /> },
              { label: 'Actions', kind: 'end', cell: session => <End session={session} /> },
            ]}
          />
        )}
      </Panel>
    </>
  )
}

function End({ session: { id, browser, current } }: { session: SessionView }) {
  if (current)
    return (
      <Badge tone="ok" shape="check">
        This browser
      </Badge>
    )
  return (
    <PostButton action={`/admin/sessions/${id}/end`} about={`of ${browserWords(browser ?? '')}`}>
      Sign out
    </PostButton>
  )
}
