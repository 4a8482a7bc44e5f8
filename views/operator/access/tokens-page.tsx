import type { Token } from '../../../plugins/tokens/contract.ts'
import { Button, PostForm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'
import { MadeToken, tokenColumns } from '../../components/token.tsx'
import { roleHint, roleOptions, roleWords } from './role-words.ts'

export interface TokensPageProps {
  now: number
  /** Newest first. */
  tokens: readonly Token[]
  /** The control plane's address, for the example. */
  address: string
  /** The token that was just created, shown only once. */
  made?: { name: string; secret: string }
  /** What was typed, and what is wrong with it. */
  form?: { values: Record<string, string>; errors: readonly { path: string; message: string }[] }
}

export function TokensPage({ now, tokens, address, made, form }: TokensPageProps) {
  const errorOf = (path: string) => {
    const error = form?.errors.find(each => each.path.split('.')[0] === path)
    return error && sentence(error.message)
  }
  return (
    <>
      <PageHead
        title="API tokens"
        lead="For scripts and other programs, each with a role of its own."
        actions={
          <a class="button" href="/admin/sessions">
            Sessions
          </a>
        }
      />
      <div class="stack">
        {made ? <MadeToken {...made} url={`${address}/admin/instances`} /> : null}
        <Panel title="Tokens" flush>
          {tokens.length === 0 ? (
            <EmptyState title="No tokens yet">
              <p>
                The admin token works as well, and may do everything. Give each script a token of its own.
              </p>
            </EmptyState>
          ) : (
            <TokenTable tokens={tokens} now={now} />
          )}
        </Panel>
        <Panel title="New token">
          <PostForm action="/admin/tokens" look="form">
            <Field
              name="name"
              label="Name"
              required
              value={form?.values.name}
              error={errorOf('name')}
              autocomplete="off"
              hint="What will use it, such as “deploy script”. The audit log names it."
            />
            <Field
              name="role"
              label="Role"
              value={form?.values.role ?? 'read'}
              error={errorOf('role')}
              options={roleOptions}
              hint={roleHint}
            />
            <Field
              name="instances"
              label="Only these instances"
              value={form?.values.instances}
              error={errorOf('instances')}
              autocomplete="off"
              spellcheck={false}
              hint="Subdomains, separated by commas. Leave it empty for all."
            />
            <Field
              name="expires_in"
              label="Expires in"
              value={form?.values.expires_in}
              error={errorOf('expires_in')}
              autocomplete="off"
              placeholder="90d"
              hint="A duration such as 90d. Leave it empty for a token that does not expire."
            />
            <div class="actions">
              <Button look="primary">Create token</Button>
            </div>
          </PostForm>
        </Panel>
      </div>
    </>
  )
}

function TokenTable({ tokens, now }: Pick<TokensPageProps, 'tokens' | 'now'>) {
  const columns = tokenColumns<Token>(now, token => `/admin/tokens/${token.id}/revoke`)
  return (
    <Table
      caption="API tokens, newest first"
      rows={tokens}
      rowId={token => `row-${token.id}`}
      columns={[
        columns.name,
        { label: 'Role', cell: token => <Scope token={token} /> },
        {
          label: 'Created',
          cell: token => (
            <>
              <Time at={token.createdAt} now={now} />
              <span class="sub">by {token.createdBy}</span>
            </>
          ),
        },
        { label: 'Expires', cell: token => <Expiry token={token} now={now} /> },
        columns.lastUse,
        columns.revoke,
      ]}
    />
  )
}

function Scope({ token: { role, instances } }: { token: Token }) {
  return (
    <>
      {roleWords[role]}
      {instances === null ? null : (
        <span class="sub">only {instances.map(({ subdomain }) => subdomain).join(', ')}</span>
      )}
    </>
  )
}

function Expiry({ token: { expiresAt }, now }: { token: Token; now: number }) {
  if (expiresAt === null) return <NotYet words="never" />
  if (expiresAt > now) return <Time at={expiresAt} now={now} />
  return (
    <Badge tone="warn" shape="slash">
      Expired
    </Badge>
  )
}
