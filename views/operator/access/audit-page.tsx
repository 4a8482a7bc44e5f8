import type { AuditEntry, AuditResult } from '../../../plugins/audit/contract.ts'
import { Button } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import type { Shape, Tone } from '../../components/mark.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../../components/panel.tsx'
import { principalWords } from '../../components/principal-words.ts'
import { Badge } from '../../components/status.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { operationTitles } from '../operation-titles.ts'

type Filters = Record<'instance' | 'actor' | 'action' | 'from' | 'to', string>

export interface AuditPageProps {
  now: number
  /** Newest first. */
  entries: readonly AuditEntry[]
  /** The cursor of the next page; null on the last one. */
  next: number | null
  isFirst: boolean
  /** The filters as they were typed. */
  typed: Filters
  /** What the last check of the whole log found; null before the first. */
  verification: { at: number; entries: number; broken: { reason: string } | null } | null
  /** What an owner is called, by the account. */
  ownerName(accountId: string): string
}

export function AuditPage(props: AuditPageProps) {
  const { entries, next, isFirst, typed, verification, now } = props
  const filter = new URLSearchParams(Object.entries(typed).filter(([, value]) => value !== ''))
  const address = (more: Record<string, string>, below = '') => {
    const query = new URLSearchParams([...filter, ...Object.entries(more)])
    return `/admin/audit${below}${query.size === 0 ? '' : `?${query}`}`
  }
  return (
    <>
      <PageHead title="Audit log" lead="Who changed what, when, from where, and how it went." />
      <div class="stack">
        <Check verification={verification} now={now} />
        <details open={filter.size > 0}>
          <summary>Filter</summary>
          <Panel>
            <FilterForm typed={typed} />
          </Panel>
        </details>
        <Panel
          title="Entries"
          aside={
            <>
              Export: <a href={address({ format: 'csv' }, '/export')}>CSV</a> ·{' '}
              <a href={address({ format: 'jsonl' }, '/export')}>JSON lines</a>
            </>
          }
          flush
        >
          {entries.length === 0 ? (
            <EmptyState title={filter.size > 0 ? 'No entry matches' : 'No entries yet'}>
              <p>Each change by an operator, an owner, billing or a timer makes an entry.</p>
            </EmptyState>
          ) : (
            <Entries {...props} />
          )}
          {isFirst && next === null ? null : (
            <nav class="panel-body actions" aria-label="Pages">
              {isFirst ? null : (
                <a class="button" href={address({})}>
                  Newest
                </a>
              )}
              {next === null ? null : (
                <a class="button" href={address({ cursor: String(next) })}>
                  Older
                </a>
              )}
            </nav>
          )}
        </Panel>
      </div>
    </>
  )
}

function Check({ verification, now }: Pick<AuditPageProps, 'verification' | 'now'>) {
  if (!verification?.broken) {
    return verification ? (
      <p class="fine">
        {verification.entries} entries were checked, <Time at={verification.at} now={now} />: none was changed
        or removed.
      </p>
    ) : null
  }
  return (
    <Notice tone="bad" title="The log was changed by something other than Longhouse">
      <p>
        {verification.broken.reason}. Compare the log with the lines “audit” that the control plane printed,
        and with a backup.
      </p>
    </Notice>
  )
}

function FilterForm({ typed }: { typed: Filters }) {
  return (
    <form method="get" action="/admin/audit" class="form">
      <div class="columns">
        <Field name="instance" label="Instance" value={typed.instance} spellcheck={false} />
        <Field
          name="actor"
          label="Who"
          value={typed.actor}
          spellcheck={false}
          hint="A name or an id; operator, token, owner, billing or timer."
        />
      </div>
      <div class="columns">
        <Field name="action" label="Action" value={typed.action} hint="Such as purge." spellcheck={false} />
        <Field name="from" label="From" value={typed.from} placeholder="2026-01-31" spellcheck={false} />
        <Field name="to" label="To" value={typed.to} placeholder="2026-01-31" spellcheck={false} />
      </div>
      <div class="actions">
        <Button>Filter</Button>
      </div>
    </form>
  )
}

const results: Record<AuditResult, { tone: Tone; shape: Shape; word: string }> = {
  accepted: { tone: 'busy', shape: 'clock', word: 'Accepted' },
  done: { tone: 'ok', shape: 'check', word: 'Done' },
  refused: { tone: 'warn', shape: 'triangle', word: 'Refused' },
  superseded: { tone: 'idle', shape: 'slash', word: 'Superseded' },
  failed: { tone: 'bad', shape: 'cross', word: 'Failed' },
}

function Entries({ entries, ownerName, now }: AuditPageProps) {
  return (
    <Table
      caption="Entries, newest first"
      rows={entries}
      rowId={entry => `row-${entry.seq}`}
      columns={[
        { label: 'What', kind: 'lead', cell: entry => <What entry={entry} /> },
        { label: 'On', cell: entry => <On entry={entry} /> },
        {
          label: 'Who',
          cell: ({ principal, address }) => (
            <>
              {principalWords(principal, `owner ${ownerName(principal.id)}`)}
              {address === null ? null : <span class="sub">from {address}</span>}
            </>
          ),
        },
        { label: 'Result', cell: ({ result }) => <Result result={result} /> },
        { label: 'When', cell: entry => <Time at={entry.at} now={now} /> },
      ]}
    />
  )
}

function What({ entry: { action, via, detail } }: { entry: AuditEntry }) {
  const title = (operationTitles as Record<string, string>)[action] ?? otherTitles[action]
  return (
    <>
      {title ?? <code>{action}</code>}
      {title && via !== 'operation' && via !== action ? <span class="sub">{via}</span> : null}
      {detail ? <span class="sub">{detail}</span> : null}
    </>
  )
}

/** What is no operation, and common. */
const otherTitles: Record<string, string> = {
  'undo-removal': 'Undo removal',
  suspend: 'Suspend',
  resume: 'Resume',
  limit: 'Change limits',
  transfer: 'Change owner',
  claim: 'Claim',
  bill: 'Bill',
  exempt: 'Exempt',
  'add-domain': 'Add domain',
  'vouch-domain': 'Answer for domain',
  'prove-domain': 'Domain proven',
  'lose-domain': 'Domain lost its proof',
  'stop-domain': 'Domain stopped',
  'expire-domain': 'Domain expired',
  'remove-domain': 'Remove domain',
  'open-gate': 'Open gate',
  'close-gate': 'Close gate',
  'POST /login': 'Sign in',
  'POST /logout': 'Sign out',
  'GET /auth/google/callback': 'Sign in with the provider',
  'POST /auth/sign-out': 'Sign out',
  'end-session': 'End session',
  'create-token': 'Create API token',
  'revoke-token': 'Revoke API token',
}

function On({ entry: { instanceId, target } }: { entry: AuditEntry }) {
  if (target === '') return null
  if (instanceId === null) return <code>{target}</code>
  // Not to its page, which is gone after a purge.
  return <a href={`/admin/audit?instance=${instanceId}`}>{target}</a>
}

function Result({ result }: { result: AuditResult }) {
  const { tone, shape, word } = results[result]
  return (
    <Badge tone={tone} shape={shape}>
      {word}
    </Badge>
  )
}
