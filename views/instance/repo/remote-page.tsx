import type { RepoRemote, RepoStatus } from '../../../runtime/repo/contract.ts'
import { Button, Confirm, PostButton } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Time } from '../../components/time.tsx'
import { Commit } from '../manifest-panel.tsx'
import { LeftOut } from './left-out.tsx'
import { BothSides } from './remote-sides.tsx'
import { RemoteBadge, RemoteTrouble } from './remote-trouble.tsx'

export interface RemotePageProps {
  now: number
  repo: RepoStatus
  /** The address for the remote's push notifications. */
  webhookUrl: string
  /** What was typed, with its errors. */
  form?:
    | { values: Readonly<Record<string, unknown>>; errors: readonly { path: string; message: string }[] }
    | undefined
  /** After connecting: shows the webhook's secret this once. */
  made?: { secret: string }
}

export function RemotePage({ now, repo, webhookUrl, form, made }: RemotePageProps) {
  const { remote } = repo
  return (
    <>
      <PageHead
        title="Remote"
        crumb={{ href: '/repo', label: 'Jobs repo' }}
        status={<RemoteBadge remote={remote} />}
        lead="Keep the jobs in a git repository elsewhere. What you push there runs here, and what you edit here is pushed there."
        actions={
          remote.connected ? <PostButton action="/api/jobs/repo/sync">Sync now</PostButton> : undefined
        }
      />
      <div class="stack">
        {made ? <Webhook url={webhookUrl} secret={made.secret} /> : null}
        <RemoteTrouble remote={remote} now={now} />
        {remote.conflict ? <BothSides conflict={remote.conflict} /> : null}
        <div class="columns">
          <div class="stack">
            {remote.connected ? <RemoteState remote={remote} now={now} /> : null}
            {remote.connected ? <Unpushed remote={remote} now={now} /> : null}
            <LeftOut repo={repo} />
            <Connect remote={remote} form={form} />
          </div>
          <HowItWorks webhookUrl={webhookUrl} connected={remote.connected} />
        </div>
      </div>
    </>
  )
}

function RemoteState({ remote, now }: { remote: RepoRemote; now: number }) {
  return (
    <Panel title="State">
      <Facts
        of={{
          Address: <code>{remote.url}</code>,
          Branch: <code>{remote.branch}</code>,
          'To push': count(remote.ahead),
          'To pull': count(remote.behind),
          'Last sync': remote.lastSyncAt === null ? 'never' : <Time at={remote.lastSyncAt} now={now} />,
          'Next sync': remote.nextSyncAt === null ? null : <Time at={remote.nextSyncAt} now={now} />,
        }}
      />
    </Panel>
  )
}

function Unpushed({ remote, now }: { remote: RepoRemote; now: number }) {
  const { commits } = remote.unpushed
  const more = (remote.ahead ?? 0) - commits.length
  if (commits.length === 0) return null
  return (
    <Panel title="Not pushed yet">
      <ul class="how">
        {commits.map(({ commit, message, at, author }) => (
          <li>
            <Commit id={commit} /> <a href={`/repo/history/${commit}`}>{message || '(no message)'}</a> by{' '}
            {author}, <Time at={at} now={now} />
          </li>
        ))}
      </ul>
      {more > 0 ? <p class="fine">And {more} more.</p> : null}
    </Panel>
  )
}

function count(commits: number | null): string | null {
  if (commits === null) return null
  return commits === 1 ? '1 commit' : `${commits} commits`
}

function Connect({ remote, form }: Pick<RemotePageProps, 'form'> & { remote: RepoRemote }) {
  const value = (name: string) => (typeof form?.values[name] === 'string' ? form.values[name] : undefined)
  const error = (name: string) => {
    const found = form?.errors.find(each => each.path === name)
    return found && sentence(found.message)
  }
  return (
    <Panel title={remote.connected ? 'Change the connection' : 'Connect'} id="connect">
      <div class="stack">
        <form method="post" action="/repo/remote" class="form">
          <Field
            name="url"
            label="Address"
            type="url"
            required
            value={value('url') ?? remote.url ?? undefined}
            placeholder="https://github.com/acme/jobs.git"
            error={error('url')}
          />
          <Field
            name="token"
            label="Access token"
            type="password"
            autocomplete="off"
            required={!remote.connected}
            error={error('token')}
            hint={
              remote.connected
                ? 'Leave it empty to keep the current token. It is stored encrypted and never shown.'
                : 'Use a token with read and write access to this repository only. It is stored encrypted and never shown.'
            }
          />
          <Field
            name="branch"
            label="Branch"
            value={value('branch') ?? (remote.connected ? (remote.branch ?? undefined) : undefined)}
            placeholder="the remote’s default branch"
            autocomplete="off"
            error={error('branch')}
          />
          <Field
            name="username"
            label="User name"
            value={value('username')}
            placeholder="optional"
            autocomplete="off"
            hint="Most servers need none. Bitbucket needs x-token-auth."
            error={error('username')}
          />
          <div class="actions">
            <Button look="primary">Connect and sync</Button>
          </div>
        </form>
        {remote.connected ? (
          <Confirm ask="Disconnect…" confirm="Disconnect" action="/api/jobs/repo/remote/remove">
            <p>The address and the token are forgotten. Nothing is deleted, here or on the remote.</p>
          </Confirm>
        ) : null}
      </div>
    </Panel>
  )
}

function Webhook({ url, secret }: { url: string; secret: string }) {
  return (
    <Notice tone="ok" title="Connected">
      <p>
        To run what you push within a second, add a webhook with these values on the remote. The secret is
        shown only once.
      </p>
      <Facts
        of={{
          'Payload URL': <code>{url}</code>,
          'Content type': <code>application/json</code>,
          Secret: <code class="secret">{secret}</code>,
        }}
      />
    </Notice>
  )
}

function HowItWorks({ webhookUrl, connected }: { webhookUrl: string; connected: boolean }) {
  return (
    <Panel title="How it works">
      <ul class="how">
        <li>Commits made here are pushed at once. The remote is checked every five minutes.</li>
        <li>Edits in different places are merged. Nothing is force-pushed, and no edit is overwritten.</li>
        <li>If both sides change the same lines, the current jobs keep running until you pick a side.</li>
        <li>A push that would remove more than half of the jobs waits until you confirm it.</li>
        {connected ? (
          <li>
            A webhook to <code>{webhookUrl}</code> makes this faster. To get a new secret for it, connect
            again and leave the token empty.
          </li>
        ) : null}
      </ul>
    </Panel>
  )
}
