import { Confirm } from './button.tsx'
import { Notice } from './panel.tsx'
import type { Column } from './table.tsx'
import { NotYet, Time } from './time.tsx'

/** What the API tokens of operators and of instances have in common. */
interface Token {
  name: string
  hint: string
  lastUsedAt: number | null
  lastUsedFrom: string | null
}

/** The secret of a token that was just made, which is shown only now, and how to use it at this address. */
export function MadeToken({ name, secret, url }: { name: string; secret: string; url: string }) {
  return (
    <Notice tone="ok" title={`The token “${name}”`}>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <p>Copy it now: it is shown only once. Only a hash of it is kept.</p>
      <pre class="code">{`curl -H 'Authorization: Bearer ${secret}' ${url}`}</pre>
    </Notice>
  )
}

/** The columns that every list of API tokens has: the name, the last use, and the button that revokes. */
export function tokenColumns<Row extends Token>(now: number, revokeAction: (token: Row) => string) {
  return {
    name: {
      label: 'Name',
      kind: 'lead',
      cell: token => (
        <>
          <span class="name">{token.name}</span>
          <span class="sub">
            <code>{token.hint}…</code>
          </span>
        </>
      ),
    },
    lastUse: { label: 'Last used', cell: token => <LastUse token={token} now={now} /> },
    revoke: {
      label: 'Actions',
      kind: 'end',
      cell: token => (
        <Confirm ask="Revoke…" confirm="Revoke this token" about={token.name} action={revokeAction(token)}>
          Programs that use “{token.name}” are refused from now on. This cannot be undone.
        </Confirm>
      ),
    },
  } satisfies Record<string, Column<Row>>
}

function LastUse({ token, now }: { token: Token; now: number }) {
  if (token.lastUsedAt === null) return <NotYet words="never" />
  return (
    <>
      <Time at={token.lastUsedAt} now={now} />
      <span class="sub">from {token.lastUsedFrom}</span>
    </>
  )
}
