import type { Account, AccountSession } from '../../plugins/auth/contract.ts'
import { PostButton } from '../components/button.tsx'
import { Facts, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { browserWords } from './browser-words.ts'

export interface AccountPageProps {
  account: Pick<Account, 'email' | 'name' | 'createdAt'>
  /** Its name, for people. */
  provider: string
  /** Newest first. */
  sessions: readonly (AccountSession & { current: boolean })[]
  now: number
}

export function AccountPage({ account, provider, sessions, now }: AccountPageProps) {
  return (
    <div class="stack">
      <PageHead title="Account" lead={account.email} />
      <Panel>
        <Facts
          of={{
            Name: account.name,
            Email: `${account.email}, from ${provider}; updated each time you sign in`,
            'Signed up': <Time at={account.createdAt} now={now} as="full" />,
          }}
        />
      </Panel>
      <Panel
        title="Where you are signed in"
        flush
        aside={
          sessions.length > 1 ? (
            <PostButton action="/account/sessions/end-others">Sign out everywhere else</PostButton>
          ) : undefined
        }
      >
        <Table
          caption="Sessions"
          rows={sessions}
          rowId={row => row.id}
          columns={[
            { label: 'Browser', kind: 'lead', cell: row => browserWords(row.browser) },
            { label: 'Signed in', cell: row => <Time at={row.createdAt} now={now} /> },
            { label: 'Last seen', cell: row => <Time at={row.lastSeenAt} now={now} /> },
            {
              label: 'Actions',
              kind: 'end',
              cell: row =>
                row.current ? (
                  <Badge tone="ok" shape="check">
                    This browser
                  </Badge>
                ) : (
                  <PostButton
                    action={`/account/sessions/${row.id}/end`}
                    about={`of ${browserWords(row.browser)}`}
                  >
                    Sign out
                  </PostButton>
                ),
            },
          ]}
        />
      </Panel>
      <Panel title="Your data">
        <div class="stack">
          <p>
            Export a file with everything that this site stores about you. To export what is inside an
            instance, open the instance.
          </p>
          <div class="actions">
            <a class="button" href="/account/export" download>
              Export
            </a>
            <a class="button" href="/account/leave">
              Delete account…
            </a>
          </div>
        </div>
      </Panel>
    </div>
  )
}
