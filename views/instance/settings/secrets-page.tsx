import type { SecretInfo } from '../../../runtime/secrets/contract.ts'
import { About, Button, Confirm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'

export interface SecretsPageProps {
  now: number
  secrets: readonly SecretInfo[]
  /** The shortest value that is masked in logs. */
  shortestMasked: number
  /** The name to set, and the errors of what was typed. */
  form?: { name: string; errors: readonly { path: string; message: string }[] } | undefined
}

export function SecretsPage({ now, secrets, form, shortestMasked }: SecretsPageProps) {
  const missing = secrets.filter(secret => !secret.readable)
  return (
    <>
      <PageHead
        title="Secrets"
        lead="Passwords and tokens for jobs. They are stored encrypted, and their values are never shown."
      />
      <div class="stack">
        {missing.length > 0 ? <Missing secrets={missing} /> : null}
        <div class="columns">
          <Panel title="Secrets" flush>
            {secrets.length === 0 ? (
              <EmptyState title="No secrets yet">
                <p>Set one here, then declare it in the job that needs it.</p>
              </EmptyState>
            ) : (
              <SecretTable secrets={secrets} now={now} />
            )}
          </Panel>
          <SetSecret form={form} shortestMasked={shortestMasked} />
        </div>
      </div>
    </>
  )
}

function Missing({ secrets }: Pick<SecretsPageProps, 'secrets'>) {
  const one = secrets.length === 1
  return (
    <Notice tone="warn" title={one ? 'A secret is missing' : `${secrets.length} secrets are missing`}>
      {secrets.map(({ name, updatedAt, wantedBy }) => (
        <p>
          <a href={`/secrets?name=${name}#set`}>
            <code>{name}</code>
          </a>{' '}
          {updatedAt === null
            ? `is needed by ${wantedBy.join(', ')}, but not set.`
            : 'cannot be decrypted, because its key is gone. Set it again.'}
        </p>
      ))}
    </Notice>
  )
}

function SecretTable({ secrets, now }: Pick<SecretsPageProps, 'secrets' | 'now'>) {
  return (
    <Table
      caption="Secrets by name"
      rows={secrets}
      rowId={secret => `secret-${secret.name}`}
      columns={[
        { label: 'Name', kind: 'lead', cell: secret => <code class="name">{secret.name}</code> },
        {
          label: 'Set',
          cell: secret =>
            secret.updatedAt !== null && secret.readable ? (
              <Time at={secret.updatedAt} now={now} />
            ) : (
              <Badge tone="warn" shape="triangle">
                {secret.updatedAt === null ? 'Not set' : 'Unreadable'}
              </Badge>
            ),
        },
        { label: 'Used by', cell: secret => <Jobs ids={secret.wantedBy} /> },
        { label: 'Actions', kind: 'end', cell: secret => <Actions secret={secret} /> },
      ]}
    />
  )
}

function Jobs({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return <NotYet words="no job" />
  return (
    <>
      {ids.map((id, i) => (
        <>
          {i > 0 ? ', ' : ''}
          <a href={`/jobs/${id}`}>{id}</a>
        </>
      ))}
    </>
  )
}

function Actions({ secret: { name, updatedAt, wantedBy } }: { secret: SecretInfo }) {
  const href = `/secrets?name=${name}#set`
  if (updatedAt === null) {
    return (
      <a class="button" href={href}>
        Set
      </a>
    )
  }
  return (
    <div class="actions">
      <a class="button quiet" href={href}>
        Replace
        <About words={name} />
      </a>
      <Confirm ask="Remove…" confirm="Remove this secret" about={name} action={`/secrets/${name}/remove`}>
        {wantedBy.length > 0 ? `Runs of ${wantedBy.join(', ')} will fail without it. ` : ''}The value cannot
        be recovered.
      </Confirm>
    </div>
  )
}

function SetSecret({ form, shortestMasked }: Pick<SecretsPageProps, 'form' | 'shortestMasked'>) {
  const error = (path: string) => {
    const found = form?.errors.find(each => each.path === path)
    return found && sentence(found.message)
  }
  const wrong = error('value')
  return (
    <Panel title="Set a secret" id="set">
      <form method="post" action="/secrets" class="form">
        <Field
          name="name"
          label="Name"
          required
          value={form?.name}
          placeholder="API_TOKEN"
          pattern="[A-Z][A-Z0-9_]{0,63}"
          autocomplete="off"
          spellcheck={false}
          error={error('name')}
          hint="Capital letters, digits and _. An existing secret with this name is replaced."
        />
        <div class="field">
          <label for="field-value">Value</label>
          <textarea
            id="field-value"
            name="value"
            rows={4}
            required
            autocomplete="off"
            spellcheck={false}
            aria-describedby="field-value-hint"
            aria-invalid={wrong ? 'true' : undefined}
          />
          <p class="hint" id="field-value-hint">
            Stored exactly as entered, line breaks included. Values shorter than {shortestMasked} characters
            are not masked in logs.
          </p>
          {wrong ? <p class="error tone-bad">{wrong}</p> : null}
        </div>
        <Button look="primary">Save secret</Button>
      </form>
    </Panel>
  )
}
