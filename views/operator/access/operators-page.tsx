import type { Operator } from '../../../plugins/operators/contract.ts'
import { Button, Confirm, PostButton, PostForm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'
import { roleHint, roleOptions, roleWords } from './role-words.ts'

interface ListedOperator extends Operator {
  /** Whether they could sign in with what they have. */
  canSignIn: boolean
}

export interface OperatorsPageProps {
  now: number
  /** The id of who looks at the page, if they are one of them. */
  you: string
  operators: readonly ListedOperator[]
  /** Who was just invited; the address is shown only once. */
  invited?: { name: string; email: string; url: string; mailed: boolean }
  /** What was typed, and what is wrong with it. */
  form?: { values: Record<string, string>; errors: readonly { path: string; message: string }[] }
}

export function OperatorsPage({ now, you, operators, invited, form }: OperatorsPageProps) {
  const errorOf = (path: string) => {
    const error = form?.errors.find(each => each.path === path)
    return error && sentence(error.message)
  }
  return (
    <>
      <PageHead
        title="Operators"
        lead="The people who run this site, each with a role and a sign-in of their own."
        actions={
          <a class="button" href="/admin/sessions">
            Sessions
          </a>
        }
      />
      <div class="stack">
        {invited ? <Invited {...invited} /> : null}
        <Panel title="Operators" aside="The admin token always signs in, too, and may do everything." flush>
          {operators.length === 0 ? (
            <EmptyState title="No operators yet">
              <p>
                Until now, the admin token is the only way in. Invite yourself first, so that the audit log
                can name you.
              </p>
            </EmptyState>
          ) : (
            <OperatorTable operators={operators} now={now} you={you} />
          )}
        </Panel>
        <Panel title="Invite an operator">
          <PostForm action="/admin/operators" look="form">
            <Field
              name="name"
              label="Name"
              required
              value={form?.values.name}
              error={errorOf('name')}
              autocomplete="off"
              hint="The audit log names it."
            />
            <Field
              name="email"
              label="Email address"
              type="email"
              required
              value={form?.values.email}
              error={errorOf('email')}
              autocomplete="off"
            />
            <Field
              name="role"
              label="Role"
              value={form?.values.role ?? 'operate'}
              error={errorOf('role')}
              options={roleOptions}
              hint={roleHint}
            />
            <div class="actions">
              <Button look="primary">Invite</Button>
            </div>
          </PostForm>
        </Panel>
      </div>
    </>
  )
}

function Invited({ name, email, url, mailed }: NonNullable<OperatorsPageProps['invited']>) {
  return (
    <Notice tone="ok" title={`The invitation of ${name}`}>
      <p>
        <code class="secret">{url}</code>
      </p>
      <p>
        {mailed
          ? `It was also sent to ${email}.`
          : `Send this address to ${email} yourself: no mail server is set up.`}{' '}
        It works once, for three days, and is shown only now. Anyone who has it becomes {name}.
      </p>
    </Notice>
  )
}

function OperatorTable({ operators, now, you }: Pick<OperatorsPageProps, 'operators' | 'now' | 'you'>) {
  return (
    <Table
      caption="Operators, in the order in which they were invited"
      rows={operators}
      rowId={({ id }) => `row-${id}`}
      columns={[
        {
          label: 'Name',
          kind: 'lead',
          cell: ({ id, name, email }) => (
            <>
              <span class="name">
                {name}
                {id === you ? ' (you)' : ''}
              </span>
              <span class="sub">{email}</span>
            </>
          ),
        },
        { label: 'Role', cell: ({ role }) => roleWords[role] },
        { label: 'Signs in with', cell: operator => <Ways operator={operator} now={now} /> },
        {
          label: 'Last sign-in',
          cell: ({ lastSignInAt }) =>
            lastSignInAt === null ? <NotYet words="never" /> : <Time at={lastSignInAt} now={now} />,
        },
        {
          label: 'Invited',
          kind: 'minor',
          cell: ({ createdAt, createdBy }) => (
            <>
              <Time at={createdAt} now={now} />
              <span class="sub">by {createdBy}</span>
            </>
          ),
        },
        { label: 'Actions', kind: 'end', cell: operator => <Actions operator={operator} /> },
      ]}
    />
  )
}

/** How an operator signs in, in words. */
export function waysInWords(operator: Omit<Operator, 'role'>): string[] {
  const { hasPassword, hasApp, passkeys, hasProvider } = operator
  return [
    ...(hasPassword ? [hasApp ? 'password and app' : 'password'] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? 'passkey' : `${passkeys} passkeys`] : []),
    ...(hasProvider ? ['provider'] : []),
  ]
}

function Ways({ operator, now }: { operator: ListedOperator; now: number }) {
  const { invitedUntil, canSignIn } = operator
  if (invitedUntil !== null)
    return invitedUntil > now ? (
      <>
        <Badge tone="busy" shape="ring">
          Invited
        </Badge>
        <span class="sub">
          until <Time at={invitedUntil} now={now} as="short" />
        </span>
      </>
    ) : (
      <Badge tone="warn" shape="slash">
        Invitation expired
      </Badge>
    )
  return (
    <>
      {waysInWords(operator).join(', ') || 'nothing: reset the sign-in'}
      {canSignIn ? null : <span class="sub">sets up a second factor at the next sign-in</span>}
    </>
  )
}

function Actions({ operator: { id, name, role, invitedUntil, joinedAt } }: { operator: Operator }) {
  const at = `/admin/operators/${id}`
  return (
    <div class="actions">
      <Confirm ask="Role…" confirm="Change role" about={name} action={`${at}/role`} look="plain">
        <Field name="role" label={`Role of ${name}`} value={role} options={roleOptions} hint={roleHint} />
        <p>{role === 'own' ? 'The admin token keeps the role Own in any case. ' : ''}Their sessions end.</p>
      </Confirm>
      {joinedAt !== null ? (
        <Confirm
          ask="Reset sign-in…"
          confirm="Reset the sign-in"
          about={name}
          action={`${at}/reset`}
          look="plain"
        >
          For an operator who lost a phone or forgot the password. Password, app, passkeys and recovery codes
          of {name} are deleted, their sessions end, and you get a new invitation for them.
        </Confirm>
      ) : (
        <PostButton action={`${at}/reset`} about={`for ${name}`}>
          New invitation
        </PostButton>
      )}
      {invitedUntil !== null ? (
        <PostButton action={`${at}/revoke-invitation`} about={`of ${name}`}>
          Revoke invitation
        </PostButton>
      ) : null}
      {joinedAt !== null ? (
        <Confirm ask="Remove…" confirm="Remove this operator" about={name} action={`${at}/remove`}>
          {name} is signed out everywhere and cannot sign in any more. The audit log keeps their name. API
          tokens that they created stay. The admin token stays as the way in.
        </Confirm>
      ) : null}
    </div>
  )
}
