import type { Channel } from '../../../runtime/notices/contract.ts'
import { Button, PostButton } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Facts, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Badge } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'
import { SettingsNav } from './settings-nav.tsx'

/** As text for the form. Credentials in addresses are masked. */
export interface NoticeFields {
  email_to: string
  smtp_url: string
  smtp_from: string
  webhook_url: string
  slack_url: string
  discord_url: string
  heartbeat_url: string
  failures_in_a_row: string
}

export interface NoticeSettingsPageProps {
  now: number
  fields: NoticeFields
  errors: readonly { path: string; message: string }[]
  /** The environment's settings, for fields left empty. */
  fromEnvironment: { smtp: boolean; from: string }
  channels: Record<Channel, boolean>
  heartbeat: { at: number; error: string | null } | null
  /** The last commit status at the remote. */
  commitStatus: { commit: string; state: string; at: number; error: string | null } | null
  /** A new signing secret, shown only once. */
  secret?: string | undefined
  /** The action just completed. */
  done?: 'saved' | 'tested' | undefined
}

export function NoticeSettingsPage(props: NoticeSettingsPageProps) {
  const { channels, secret, done } = props
  return (
    <>
      <PageHead
        title="Notices"
        lead="Choose who is notified when a job, its code or the sync with your repository fails."
      />
      <SettingsNav current="/settings" />
      <div class="stack">
        {done === 'saved' ? <Notice tone="ok" title="Saved" /> : null}
        {done === 'tested' ? (
          <Notice tone="busy" title="Sending a test">
            <p>
              <a href="/settings/notices">See the result</a>
            </p>
          </Notice>
        ) : null}
        {secret ? <Secret secret={secret} /> : null}
        {!Object.values(channels).includes(true) ? (
          <Notice tone="warn" title="No one is notified">
            <p>
              Failures are listed under <a href="/settings/notices">Incidents</a>, but no channel is set up to
              send them. The first one that you set up gets those that are open.
            </p>
          </Notice>
        ) : null}
        <div class="columns">
          <Form {...props} />
          <div class="stack">
            <State {...props} />
            <What />
          </div>
        </div>
      </div>
    </>
  )
}

function Form({ fields, errors, fromEnvironment }: NoticeSettingsPageProps) {
  const errorOf = (path: string) => {
    const error = errors.find(each => each.path === path)
    return error && sentence(error.message)
  }
  const field = (name: keyof NoticeFields) => ({ name, value: fields[name], error: errorOf(name) })
  return (
    <form method="post" action="/api/settings/notices" class="stack">
      <Panel title="Email">
        <div class="form">
          <Field
            {...field('email_to')}
            label="To"
            placeholder="you@example.com"
            hint="One or more addresses, separated by commas. Leave it empty to send no email."
          />
          <Field
            {...field('smtp_url')}
            label="Mail server"
            placeholder={
              fromEnvironment.smtp ? 'as the operator set it up' : 'smtp://user:password@mail.example.com:587'
            }
            hint="smtp:// (port 587, STARTTLS) or smtps:// (port 465). The password is stored encrypted and shown as ***."
            spellcheck={false}
          />
          <Field
            {...field('smtp_from')}
            label="From"
            placeholder={fromEnvironment.from || 'jobs@example.com'}
            hint="The sender’s address. The mail server must accept it."
          />
        </div>
      </Panel>
      <Panel title="Webhook">
        <div class="form">
          <Field
            {...field('webhook_url')}
            label="Address"
            placeholder="https://example.com/longhouse"
            hint="Every notice is posted here as signed JSON. The signing secret is created with the first address and shown once."
            spellcheck={false}
          />
        </div>
      </Panel>
      <Panel title="Chat">
        <div class="form">
          <Field
            {...field('slack_url')}
            label="Slack"
            placeholder="https://hooks.slack.com/services/…"
            hint="An incoming webhook of Slack, Mattermost or Rocket.Chat."
            spellcheck={false}
          />
          <Field
            {...field('discord_url')}
            label="Discord"
            placeholder="https://discord.com/api/webhooks/…"
            hint="A channel’s webhook: in Discord, Edit channel, Integrations, Webhooks."
            spellcheck={false}
          />
        </div>
      </Panel>
      <Panel title="When">
        <div class="form">
          <Field
            {...field('failures_in_a_row')}
            label="Failed runs in a row"
            type="number"
            hint="How many runs of a job must fail one after another, 1 to 20. Retries of one due time count once."
          />
          <Field
            {...field('heartbeat_url')}
            label="Heartbeat address"
            placeholder="https://hc-ping.com/…"
            hint="Requested once a minute while this instance is healthy, so that a monitor elsewhere notices when it is gone."
            spellcheck={false}
          />
        </div>
      </Panel>
      <div class="actions">
        <Button look="primary">Save</Button>
      </div>
    </form>
  )
}

function Secret({ secret }: { secret: string }) {
  return (
    <Notice tone="ok" title="The webhook’s signing secret">
      <p>
        <code class="secret">{secret}</code>
      </p>
      <p>
        Copy it now: it is shown only once. To get another, clear the address, save, and set it again. The
        header <code>Longhouse-Signature: t=…,v1=…</code> holds the HMAC-SHA256 of <code>t.body</code>, keyed
        with the secret.
      </p>
    </Notice>
  )
}

function State({ now, channels, heartbeat, commitStatus, fields }: NoticeSettingsPageProps) {
  const channel = (on: boolean) =>
    on ? (
      <Badge tone="ok" shape="check">
        Set up
      </Badge>
    ) : (
      <Badge tone="idle" shape="ring">
        Off
      </Badge>
    )
  return (
    <Panel title="Channels" aside={<a href="/settings/notices">Incidents</a>}>
      <div class="stack">
        <Facts
          of={{
            Email: channel(channels.email),
            Webhook: channel(channels.webhook),
            Slack: channel(channels.slack),
            Discord: channel(channels.discord),
            Heartbeat: fields.heartbeat_url === '' ? channel(false) : <Beat beat={heartbeat} now={now} />,
            ...(commitStatus ? { 'Commit status': <Status status={commitStatus} now={now} /> } : {}),
          }}
        />
        {Object.values(channels).includes(true) ? (
          <PostButton action="/api/notices/test">Send a test</PostButton>
        ) : null}
      </div>
    </Panel>
  )
}

function Beat({ beat, now }: { beat: NoticeSettingsPageProps['heartbeat']; now: number }) {
  if (!beat) {
    return (
      <Badge tone="idle" shape="clock">
        Within a minute
      </Badge>
    )
  }
  return (
    <>
      {beat.error === null ? (
        <Badge tone="ok" shape="check">
          Answered
        </Badge>
      ) : (
        <Badge tone="bad" shape="cross">
          Failed
        </Badge>
      )}
      <span class="sub">
        <Time at={beat.at} now={now} />
        {beat.error === null ? null : `: ${beat.error}`}
      </span>
    </>
  )
}

function Status({
  status,
  now,
}: {
  status: NonNullable<NoticeSettingsPageProps['commitStatus']>
  now: number
}) {
  const { commit, state, at, error } = status
  return (
    <>
      {error === null ? (
        <Badge tone="ok" shape="check">
          Written
        </Badge>
      ) : (
        <Badge tone="bad" shape="cross">
          Failed
        </Badge>
      )}
      <span class="sub">
        <code>{commit.slice(0, 7)}</code> is “{state}”, <Time at={at} now={now} />
        {error === null ? null : `: ${error}`}
      </span>
    </>
  )
}

function What() {
  return (
    <Panel title="What you are notified of">
      <ul class="plain">
        <li>A job that fails, takes too long, is overdue or has no further due time</li>
        <li>Due times missed while the instance was down, in one message</li>
        <li>A change whose manifest does not load or whose packages cannot be installed</li>
        <li>A sync that fails, a conflict, or a change that waits for you</li>
        <li>A scheduler that fails</li>
        <li>The end of each of these</li>
      </ul>
      <p class="fine">
        You are reminded of an open incident every day until you mute it under{' '}
        <a href="/settings/notices">Incidents</a>. One job’s incidents of one kind are sent at most once an
        hour.
      </p>
    </Panel>
  )
}
