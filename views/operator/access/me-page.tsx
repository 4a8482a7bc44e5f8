import type { Operator, Passkey } from '../../../plugins/operators/contract.ts'
import { browserWords } from '../../auth/browser-words.ts'
import { Button, Confirm, PostButton, PostForm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { NotYet, Time } from '../../components/time.tsx'
import { waysInWords } from './operators-page.tsx'
import { roleWords } from './role-words.ts'

interface SessionView {
  id: string
  createdAt: number
  lastSeenAt: number
  address: string | null
  browser: string | null
  current: boolean
}

export interface MePageProps {
  now: number
  operator: Operator
  /** Whether the role needs a second factor beside a password. */
  needsFactor: boolean
  passkeys: readonly Passkey[]
  /** Newest first. */
  sessions: readonly SessionView[]
  errors: readonly { path: string; message: string }[]
  /** The name of the provider that operators can sign in with; null when there is none. */
  provider: string | null
  /** Whether emails are sent. */
  mails: boolean
}

/** An operator's own sign-in. */
export function MePage(props: MePageProps) {
  const { now, operator, sessions } = props
  return (
    <>
      <PageHead title="Your sign-in" lead={`${operator.name}, ${operator.email}`} />
      <div class="stack">
        <Panel>
          <Facts
            of={{
              Role: roleWords[operator.role],
              'Signs in with': waysInWords(operator).join(', '),
              'Recovery codes left': operator.hasApp ? String(operator.recoveryCodes) : null,
            }}
          />
        </Panel>
        {operator.hasApp && operator.recoveryCodes < 3 ? (
          <Notice tone="warn" title="Few recovery codes are left">
            <p>Make new ones below, so that a lost phone does not lock you out.</p>
          </Notice>
        ) : null}
        <Passkeys {...props} />
        <PasswordAndApp {...props} />
        <Provider {...props} />
        <Profile {...props} />
        <Sessions sessions={sessions} now={now} />
      </div>
    </>
  )
}

function errorOf(errors: MePageProps['errors'], path: string): string | undefined {
  const error = errors.find(each => each.path === path)
  return error && sentence(error.message)
}

function Passkeys({ passkeys, errors, now }: MePageProps) {
  return (
    <Panel
      title="Passkeys"
      aside="A passkey signs you in alone: it checks your fingerprint, face or PIN."
      flush
    >
      {passkeys.length === 0 ? null : (
        <Table
          caption="Your passkeys"
          rows={passkeys}
          rowId={({ id }) => `row-${id}`}
          columns={[
            { label: 'Name', kind: 'lead', cell: ({ name }) => <span class="name">{name}</span> },
            { label: 'Added', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
            {
              label: 'Last used',
              cell: ({ lastUsedAt }) =>
                lastUsedAt === null ? <NotYet words="never" /> : <Time at={lastUsedAt} now={now} />,
            },
            {
              label: 'Actions',
              kind: 'end',
              cell: ({ id, name }) => (
                <Confirm
                  ask="Remove…"
                  confirm="Remove this passkey"
                  about={name}
                  action={`/admin/me/passkeys/${encodeURIComponent(id)}/remove`}
                >
                  It no longer signs you in. Your device may still offer it: delete it there, too.
                </Confirm>
              ),
            },
          ]}
        />
      )}
      <div class="panel-body">
        <form
          method="post"
          action="/admin/me/passkeys"
          class="form"
          data-passkey="make"
          data-options="/admin/me/passkeys/options"
          hidden
        >
          <input type="hidden" name="credential" value="" />
          <Field
            name="name"
            label="Name of a new passkey"
            required
            autocomplete="off"
            error={errorOf(errors, 'name')}
            hint="Where it is, such as “laptop” or “blue key”."
          />
          <Button>Add a passkey</Button>
          <p class="error tone-bad" role="alert" data-passkey-error hidden />
        </form>
        <noscript>
          <p class="hint">Adding a passkey needs JavaScript: browsers offer it to scripts alone.</p>
        </noscript>
      </div>
    </Panel>
  )
}

function PasswordAndApp({ operator, needsFactor, errors }: MePageProps) {
  const { hasPassword, hasApp, recoveryCodes } = operator
  return (
    <Panel title="Password and app">
      <div class="stack">
        <PostForm action="/admin/me/password" look="form">
          <Field
            name="password"
            label={hasPassword ? 'New password' : 'Password'}
            type="password"
            required
            autocomplete="new-password"
            error={errorOf(errors, 'password')}
            hint="At least 12 characters. Your other sessions end."
          />
          <div class="actions">
            <Button>{hasPassword ? 'Change password' : 'Set password'}</Button>
          </div>
        </PostForm>
        <p>
          {hasApp
            ? `An app shows codes for you. You have ${recoveryCodes} recovery codes left.`
            : needsFactor
              ? 'With a password, your role needs an app that shows codes, or a passkey.'
              : 'An app that shows codes protects you where a password leaks.'}
        </p>
        <div class="actions">
          <PostButton action="/admin/me/app">{hasApp ? 'Set up another app' : 'Set up an app'}</PostButton>
          {hasApp ? (
            <>
              <Confirm
                ask="New recovery codes…"
                confirm="Make new codes"
                action="/admin/me/recovery-codes"
                look="plain"
              >
                The codes that you have now no longer work.
              </Confirm>
              <Confirm ask="Remove the app…" confirm="Remove the app" action="/admin/me/app/remove">
                Its codes no longer sign you in.
              </Confirm>
            </>
          ) : null}
        </div>
      </div>
    </Panel>
  )
}

function Provider({ operator, provider }: MePageProps) {
  const { hasProvider } = operator
  if (provider === null && !hasProvider) return null
  const called = provider ?? 'the provider'
  return (
    <Panel title={`Sign in with ${called}`}>
      <div class="stack">
        <p>
          {hasProvider
            ? `An account at ${called} signs you in, whatever its email address is.`
            : `Link an account at ${called}, and it signs you in. It may have another email address.`}
        </p>
        <div class="actions">
          {provider === null ? null : (
            <PostButton action="/admin/me/provider">
              {hasProvider ? 'Link another account' : 'Link an account'}
            </PostButton>
          )}
          {hasProvider ? (
            <Confirm ask="Remove…" confirm="Remove the account" action="/admin/me/provider/remove">
              It no longer signs you in here.
            </Confirm>
          ) : null}
        </div>
      </div>
    </Panel>
  )
}

function Profile({ operator, errors, mails, now }: MePageProps) {
  const { name, email, newEmail } = operator
  return (
    <Panel title="Name and email address">
      <div class="stack">
        <PostForm action="/admin/me/name" look="form">
          <Field
            name="name"
            label="Name"
            value={name}
            required
            autocomplete="name"
            error={errorOf(errors, 'own-name')}
            hint="The audit log shows it."
          />
          <div class="actions">
            <Button>Change name</Button>
          </div>
        </PostForm>
        {newEmail !== null && newEmail.until > now ? (
          <Notice tone="busy" title="Confirm your new address">
            <p>
              An email with a link is on its way to <strong>{newEmail.email}</strong>. Until you confirm it
              there, your address stays {email}. The link works until{' '}
              <Time at={newEmail.until} now={now} as="full" />.
            </p>
          </Notice>
        ) : null}
        {mails ? (
          <PostForm action="/admin/me/email" look="form">
            <Field
              name="email"
              label="New email address"
              type="email"
              required
              autocomplete="email"
              error={errorOf(errors, 'own-email')}
              hint={`Now it is ${email}. The new one gets an email with a link.`}
            />
            <div class="actions">
              <Button>Change address</Button>
            </div>
          </PostForm>
        ) : (
          <p class="hint">
            Your address is {email}. To change it here, a mail server must be set up: a new address proves
            itself by an email.
          </p>
        )}
      </div>
    </Panel>
  )
}

function Sessions({ sessions, now }: Pick<MePageProps, 'sessions' | 'now'>) {
  return (
    <Panel title="Your sessions" flush>
      <Table
        caption="Your sessions, newest first"
        rows={sessions}
        rowId={({ id }) => `row-${id}`}
        columns={[
          {
            label: 'Browser',
            kind: 'lead',
            cell: ({ browser, address }) => (
              <>
                {browser === null ? 'Unknown' : browserWords(browser)}
                {address === null ? null : <span class="sub">from {address}</span>}
              </>
            ),
          },
          { label: 'Signed in', cell: ({ createdAt }) => <Time at={createdAt} now={now} /> },
          { label: 'Last seen', cell: ({ lastSeenAt }) => <Time at={lastSeenAt} now={now} /> },
          {
            label: 'Actions',
            kind: 'end',
            cell: ({ id, browser, current }) =>
              current ? (
                <Badge tone="ok" shape="check">
                  This browser
                </Badge>
              ) : (
                <PostButton
                  action={`/admin/me/sessions/${id}/end`}
                  about={`of ${browserWords(browser ?? '')}`}
                >
                  Sign out
                </PostButton>
              ),
          },
        ]}
      />
    </Panel>
  )
}
