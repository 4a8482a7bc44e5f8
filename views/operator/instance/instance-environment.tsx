import { Button, Confirm, PostButton } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { IfPermitted } from '../../permits.tsx'

export interface EnvironmentProps {
  subdomain: string
  /** By name; secrets are without their values. */
  variables: readonly { name: string; value: string | null; updatedAt: number; updatedBy: string | null }[]
  /** The instance runs with other variables than these. */
  waiting: boolean
  /** It is to run: a change can be applied by a restart. */
  runs: boolean
  /** It is in retention: nothing can be changed. */
  removed: boolean
  /** The name that was typed, and what was wrong. */
  name: string
  errors: readonly { path: string; message: string }[]
  now: number
}

/** Environment variables of one instance. Secrets are never shown again. */
export function EnvironmentPage(props: EnvironmentProps) {
  const { subdomain, variables, waiting, runs, removed, name, errors, now } = props
  const path = `/admin/instances/${subdomain}/environment`
  const fault = (field: string) => {
    const found = errors.find(error => error.path === field)
    return found && sentence(found.message)
  }
  return (
    <div class="stack">
      <PageHead
        title={`Environment of ${subdomain}`}
        crumb={{ href: `/admin/instances/${subdomain}`, label: subdomain }}
        lead="Variables for the instance’s own program, such as LOG_LEVEL. Of these, jobs get only HTTP_PROXY, HTTPS_PROXY and NO_PROXY: for jobs, the instance has secrets."
      />
      {waiting ? (
        <Notice tone="warn" title="Applies at the next restart">
          <p>The instance runs with other variables than those below.</p>
          <PostButton action={`/admin/instances/${subdomain}/restart`}>Restart now</PostButton>
        </Notice>
      ) : null}
      <Panel title="Variables" flush>
        {variables.length === 0 ? (
          <EmptyState title="No variables">
            <p>The instance has only what Longhouse sets for every instance.</p>
          </EmptyState>
        ) : (
          <Table
            caption={`Variables of ${subdomain}`}
            rows={variables}
            rowId={variable => `variable-${variable.name}`}
            columns={[
              { label: 'Name', kind: 'lead', cell: variable => <code>{variable.name}</code> },
              {
                label: 'Value',
                cell: ({ value }) =>
                  value === null ? <span class="soft">••••••••</span> : <code>{value}</code>,
              },
              { label: 'Set', cell: ({ updatedAt }) => <Time at={updatedAt} now={now} /> },
              { label: 'By', cell: ({ updatedBy }) => updatedBy },
              {
                label: 'Actions',
                kind: 'end',
                cell: variable =>
                  removed ? null : (
                    <Confirm
                      ask="Remove…"
                      about={variable.name}
                      confirm="Remove it"
                      look="plain"
                      action={`${path}/remove`}
                      fields={{ name: variable.name }}
                    >
                      <p>The value is deleted.</p>
                      <When runs={runs} />
                    </Confirm>
                  ),
              },
            ]}
          />
        )}
      </Panel>
      {removed ? null : (
        <IfPermitted method="post" href={path}>
          <Panel title="Set a variable">
            <form method="post" action={path} class="stack">
              <Field
                name="name"
                label="Name"
                value={name}
                error={fault('name')}
                required
                spellcheck={false}
              />
              <Field
                name="value"
                label="Value"
                type="password"
                hint="Stored encrypted. It replaces the value of a variable of this name."
                error={fault('value')}
                required
                autocomplete="off"
              />
              <Field
                name="secret"
                label="Kind"
                hint="Each occurrence of a secret is masked in the log."
                options={[
                  { value: 'true', label: 'Secret: masked in the log, and not shown again' },
                  { value: 'false', label: 'Plain: shown here and in the log, such as a log level' },
                ]}
                error={fault('secret')}
              />
              <When runs={runs} />
              <div class="actions">
                <Button look="primary">Save</Button>
              </div>
            </form>
          </Panel>
        </IfPermitted>
      )}
    </div>
  )
}

function When({ runs }: { runs: boolean }) {
  if (!runs) return <p>It applies at the next start.</p>
  return (
    <Field
      name="restart"
      label="When it applies"
      options={[
        { value: 'false', label: 'At the next restart; until then the page says that it waits' },
        { value: 'true', label: 'Now: the instance restarts, and runs in progress get time to finish' },
      ]}
    />
  )
}
