import type { Token } from '../../../runtime/tokens/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { MadeToken, tokenColumns } from '../../components/token.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface TokensPageProps {
  now: number
  tokens: readonly Token[]
  /** The instance's address, for the example. */
  address: string
  /** The token that was just created, shown only once. */
  made?: { name: string; secret: string }
  /** What was typed, and what is wrong with it. */
  form?: { name: string; scope: string; errors: readonly { path: string; message: string }[] }
}

const scopeWords = {
  read: 'Read',
  run: 'Read and run jobs',
  write: 'Read, run and change',
} as const satisfies Record<Token['scope'], string>

export function TokensPage({ now, tokens, address, made, form }: TokensPageProps) {
  return (
    <>
      <PageHead
        title="API tokens"
        lead="Tokens let scripts and other programs use the API without the password."
      />
      <SettingsNav current="/settings/tokens" />
      <div class="stack">
        {made ? <MadeToken {...made} url={`${address}/api/jobs`} /> : null}
        <div class="columns">
          <Panel title="Tokens" flush>
            {tokens.length === 0 ? (
              <EmptyState title="No tokens yet">
                <p>Create one, and send it as “Authorization: Bearer lht_…” with each request.</p>
              </EmptyState>
            ) : (
              <TokenTable tokens={tokens} now={now} />
            )}
          </Panel>
          <Panel title="New token">
            <form method="post" action="/api/tokens" class="form">
              <Field
                name="name"
                label="Name"
                required
                value={form?.name}
                error={errorOf(form, 'name')}
                autocomplete="off"
                hint="What will use it, such as “deploy script”."
              />
              <Field
                name="scope"
                label="Scope"
                value={form?.scope ?? 'read'}
                error={errorOf(form, 'scope')}
                options={Object.entries(scopeWords).map(([value, label]) => ({ value, label }))}
                hint="Tokens cannot create other tokens or open these pages."
              />
              <Button look="primary">Create token</Button>
            </form>
          </Panel>
        </div>
      </div>
    </>
  )
}

function errorOf(form: TokensPageProps['form'], path: string): string | undefined {
  const error = form?.errors.find(each => each.path === path)
  return error && sentence(error.message)
}

function TokenTable({ tokens, now }: Pick<TokensPageProps, 'tokens' | 'now'>) {
  const columns = tokenColumns<Token>(now, token => `/api/tokens/${token.id}/revoke`)
  return (
    <Table
      caption="API tokens, newest first"
      rows={tokens}
      rowId={token => `row-${token.id}`}
      columns={[
        columns.name,
        { label: 'Scope', cell: token => scopeWords[token.scope] },
        { label: 'Created', cell: token => <Time at={token.createdAt} now={now} /> },
        columns.lastUse,
        columns.revoke,
      ]}
    />
  )
}
