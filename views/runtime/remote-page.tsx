import { Button, Confirm, PostButton } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Time } from '../components/time.tsx'
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
            <Connect remote={remote} form={form} />
          </div>
          <HowItWorks webhookUrl={webhookUrl} connected={remote.connected} />
        </div>
      </div>
    </>
  )
}

export function RemoteBadge({ remote }: { remote: RemoteView }) {
  if (!remote.connected) {
    return (
      <Badge tone="idle" shape="ring">
        Not connected
      </Badge>
    )
  }
  if (remote.conflict) {
    return (
      <Badge tone="bad" shape="cross">
        Conflict
      </Badge>
    )
  }
  if (remote.held) {
    return (
      <Badge tone="warn" shape="triangle">
        Waits for you
      </Badge>
    )
  }
  if (remote.error) {
    return (
      <Badge tone="warn" shape="triangle">
        Not synced
      </Badge>
    )
  }
  return remote.syncing ? (
    <Badge tone="busy" shape="turning">
      Syncing
    </Badge>
  ) : (
    <Badge tone="ok" shape="check">
      In sync
    </Badge>
  )
}

/** What is wrong, what was kept, and what to do. */
export function RemoteTrouble({ remote, now }: { remote: RemoteView; now: number }) {
  const { conflict, held, error, nextSyncAt } = remote
  return (
    <>
      {error ? (
        <Notice tone="warn" title="The last sync did not work">
          <p>
            {capital(error)}. Jobs run on as they are here, and every edit is kept.
            {nextSyncAt === null ? null : (
              <>
                {' '}
                The next try is <Time at={nextSyncAt} now={now} />.
              </>
            )}
          </p>
        </Notice>
      ) : null}
      {held ? (
        <Notice tone="warn" title={`The remote would remove ${held.removes.length} of ${held.of} jobs`}>
          <p>
            {held.removes.slice(0, 20).map((id, i) => (
              <>
                {i > 0 ? ', ' : ''}
                <code>{id}</code>
              </>
            ))}
            {held.removes.length > 20 ? ` and ${held.removes.length - 20} more` : ''}. Nothing was taken over:
            they run on until you say that it is meant. If it is not, put them back on the remote.
          </p>
          <Confirm
            ask="Take it over…"
            confirm="Remove these jobs here"
            action="/api/jobs/repo/sync"
            fields={{ confirm: held.theirs }}
          >
            The jobs end here with the remote's commit <code>{held.theirs.slice(0, 7)}</code>. Their runs and
            logs stay, and so does their code, in the history of the repo.
          </Confirm>
        </Notice>
      ) : null}
      {conflict ? (
        <Notice
          tone="bad"
          title={
            conflict.kind === 'rewritten'
              ? 'The remote’s history was rewritten'
              : 'Both sides changed the same lines'
          }
        >
          <p>
            {conflict.kind === 'rewritten'
              ? 'What was synced before is no longer part of it: somebody has forced a push. '
              : ''}
            The jobs here run on as they are. Nothing was changed on the remote's branch
            {conflict.sideBranch ? (
              <>
                ; this side is there too, as the branch <code>{conflict.sideBranch}</code>
              </>
            ) : null}
            . <a href="/repo/remote#sides">Look at both sides</a> and pick one, or merge them with a git of
            your own and push.
          </p>
        </Notice>
      ) : null}
    </>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

export function RemoteState({ remote, now }: { remote: RemoteView; now: number }) {
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

function count(commits: number | null): string | null {
  if (commits === null) return null
  return commits === 1 ? '1 commit' : `${commits} commits`
}

function BothSides({ conflict }: { conflict: NonNullable<RemoteView['conflict']> }) {
  const rewritten = conflict.kind === 'rewritten'
  return (
    <Panel title={rewritten ? 'What differs' : 'Changed on both sides'} id="sides">
      <div class="stack">
        {conflict.files.slice(0, 50).map(file => (
          <section>
            <h3>
              <code>{file.path}</code>
            </h3>
            <div class="halves">
              <Side name="Here" text={file.ours} />
              <Side name="On the remote" text={file.theirs} />
            </div>
          </section>
        ))}
        {conflict.files.length > 50 ? <p class="fine">and {conflict.files.length - 50} more files</p> : null}
        <div class="actions">
          <Pick side="ours" theirs={conflict.theirs}>
            {rewritten
              ? 'The remote gets a commit on top of its new history that makes it what is here. Nothing is forced.'
              : 'Where both changed the same, what is here stays. Everything else is merged, and sent to the remote.'}
          </Pick>
          <Pick side="theirs" theirs={conflict.theirs}>
            {rewritten
              ? 'The new history is taken over, with the edits that were made here since the last sync on top of it.'
              : 'Where both changed the same, what the remote has is taken over. Everything else is merged.'}{' '}
            What is here now stays in the history.
          </Pick>
        </div>
      </div>
    </Panel>
  )
}

function Side({ name, text }: { name: string; text: string | null }) {
  return (
    <div>
      <p class="fine">{name}</p>
      {text === null ? <p>No such file, or no text.</p> : <pre class="code">{text}</pre>}
    </div>
  )
}

function Pick({ side, theirs, children }: { side: 'ours' | 'theirs'; theirs: string; children: unknown }) {
  const words = side === 'ours' ? 'what is here' : 'what the remote has'
  return (
    <Confirm
      ask={`Keep ${words}…`}
      confirm={`Keep ${words}`}
      look="plain"
      action="/api/jobs/repo/resolve"
      fields={{ side, theirs }}
    >
      <p>{children as string}</p>
    </Confirm>
  )
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
