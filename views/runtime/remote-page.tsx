import { Button, Confirm, PostButton } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Time } from '../components/time.tsx'
import { LeftOut } from './left-out.tsx'
import { Commit } from './manifest-panel.tsx'
import { BothSides } from './remote-sides.tsx'
import { RemoteBadge, RemoteTrouble } from './remote-trouble.tsx'
import type { RemoteView, RepoView } from './shapes.ts'

export interface RemotePageProps {
  now: number
  repo: RepoView
  /** Where the remote announces a push. */
  webhookUrl: string
  /** What was typed, and what is wrong with it. */
  form?:
    | { values: Readonly<Record<string, unknown>>; errors: readonly { path: string; message: string }[] }
    | undefined
  /** Just connected: the webhook's secret is shown this once. */
  made?: { secret: string }
}

export function RemotePage({ now, repo, webhookUrl, form, made }: RemotePageProps) {
  const { remote } = repo
  return (
    <>
      <PageHead
        title="Remote"
        crumb={{ href: '/repo', label: 'Repo' }}
        status={<RemoteBadge remote={remote} />}
        lead="A git repository elsewhere that has the same jobs: push there, and they run here; edit here, and it is there."
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

function RemoteState({ remote, now }: { remote: RemoteView; now: number }) {
  return (
    <Panel title="State">
      <Facts
        of={{
          Address: <code>{remote.url}</code>,
          Branch: <code>{remote.branch}</code>,
          'To send': count(remote.ahead),
          'To take over': count(remote.behind),
          'Last sync': remote.lastSyncAt === null ? 'never' : <Time at={remote.lastSyncAt} now={now} />,
          'Next sync': remote.nextSyncAt === null ? null : <Time at={remote.nextSyncAt} now={now} />,
        }}
      />
    </Panel>
  )
}

function Unpushed({ remote, now }: { remote: RemoteView; now: number }) {
  const { commits } = remote.unpushed
  const more = (remote.ahead ?? 0) - commits.length
  if (commits.length === 0) return null
  return (
    <Panel title="Not pushed yet">
      <ul class="how">
        {commits.map(({ commit, message, at, author }) => (
          <li>
            <Commit id={commit} /> <a href={`/repo/history/${commit}`}>{message || 'no message'}</a> by{' '}
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

function Connect({ remote, form }: Pick<RemotePageProps, 'form'> & { remote: RemoteView }) {
  const value = (name: string) => (typeof form?.values[name] === 'string' ? form.values[name] : undefined)
  const error = (name: string) => {
    const found = form?.errors.find(each => each.path === name)
    return found && `It ${found.message}.`
  }
  return (
    <Panel title={remote.connected ? 'Connect another, or with a new token' : 'Connect'} id="connect">
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
                ? 'Leave it empty to keep the one that is there. It is stored encrypted and never shown.'
                : 'One that may read and write this repository only. It is stored encrypted and never shown.'
            }
          />
          <Field
            name="branch"
            label="Branch"
            value={value('branch') ?? (remote.connected ? (remote.branch ?? undefined) : undefined)}
            placeholder="its default branch"
            autocomplete="off"
            error={error('branch')}
          />
          <Field
            name="username"
            label="User name"
            value={value('username')}
            placeholder="any"
            autocomplete="off"
            hint="Only where the server wants one beside the token: Bitbucket wants x-token-auth."
            error={error('username')}
          />
          <div class="actions">
            <Button look="primary">Connect and sync</Button>
          </div>
        </form>
        {remote.connected ? (
          <Confirm ask="Disconnect…" confirm="Disconnect" action="/api/jobs/repo/remote/remove">
            <p>The address and the token are forgotten. Nothing is deleted, here or there.</p>
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
        To have pushes here within a second, add a webhook on the remote with these. The secret is shown this
        once.
      </p>
      <Facts
        of={{
          'Payload address': <code>{url}</code>,
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
        <li>What is committed here is sent at once; the remote is looked at every five minutes.</li>
        <li>Edits in different places are merged. Nothing is ever forced, and no edit is written over.</li>
        <li>Where both changed the same lines, the jobs run on as they are, and you pick.</li>
        <li>A push that would remove more than half of the jobs waits for you.</li>
        {connected ? (
          <li>
            A webhook at <code>{webhookUrl}</code> makes it quicker. Connect again with the token left empty
            to see its secret.
          </li>
        ) : null}
      </ul>
    </Panel>
  )
}
