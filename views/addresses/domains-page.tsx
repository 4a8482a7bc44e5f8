import type { DomainState } from '../../plugins/domains/contract.ts'
import { Button, Confirm, PostButton } from '../components/button.tsx'
import { Field } from '../components/field.tsx'
import { EmptyState, Notice, PageHead, Panel } from '../components/panel.tsx'
import { sentence } from '../components/sentence.ts'
import { type Look, lookBadge } from '../components/status.tsx'
import { Table } from '../components/table.tsx'
import { Time } from '../components/time.tsx'
import { IfPermitted } from '../permits.tsx'

interface ShownDomain {
  name: string
  state: DomainState
  vouched: boolean
  finding: string | null
  checkedAt: number | null
  records: { proof: { name: string; value: string }; traffic: { name: string; value: string } }
  stopsAt: number | null
  expiresAt: number | null
}

export interface DomainsPageProps {
  subdomain: string
  /** The address of this page, and of the instance's. */
  path: string
  above: string
  domains: readonly ShownDomain[]
  /** How many the instance may have. */
  most: number
  /** Another proxy routes requests: no domain can be added. */
  elsewhere: boolean
  /** Whether the reader may answer for a domain in place of its proof. */
  vouches: boolean
  /** What was typed, and what is wrong with it. */
  typed: string
  error: string | undefined
  now: number
}

const looks: Record<DomainState, Look> = {
  waiting: { tone: 'idle', shape: 'clock', word: 'Waiting for proof' },
  active: { tone: 'ok', shape: 'check', word: 'Active' },
  losing: { tone: 'warn', shape: 'triangle', word: 'Proof lost' },
  lost: { tone: 'bad', shape: 'cross', word: 'Stopped' },
}

/** The domains of one instance, for its owner and for the operator. */
export function DomainsPage(props: DomainsPageProps) {
  const { subdomain, path, above, domains, most, elsewhere, vouches, typed, error, now } = props
  return (
    <div class="stack">
      <PageHead
        title={`Domains of ${subdomain}`}
        crumb={{ href: above, label: subdomain }}
        lead={`${vouches ? 'Its owner’s' : 'Your own'} names for the instance, besides its address on this site, which keeps working.`}
      />
      {elsewhere ? (
        <Notice tone="warn" title="Another proxy routes requests on this site">
          <p>
            Domains cannot be added here.{' '}
            {vouches ? 'Set them up in that proxy.' : 'Ask the operator to set them up in that proxy.'}
          </p>
        </Notice>
      ) : null}
      {domains.length === 0 && !elsewhere ? (
        <Panel>
          <EmptyState title="No domains">
            <p>
              {vouches
                ? 'Add a name that the owner controls. A record in its DNS proves that, or you answer for it.'
                : 'Add a name that you control. You prove it with a record in its DNS.'}
            </p>
          </EmptyState>
        </Panel>
      ) : null}
      {domains.map(domain => (
        <DomainPanel domain={domain} path={path} operates={vouches} now={now} />
      ))}
      {elsewhere ? null : domains.length >= most && error === undefined ? (
        <p class="fine">
          {most === 0
            ? 'Instances here have no domains of their own.'
            : `The limit is ${most} ${most === 1 ? 'domain' : 'domains'}.`}
        </p>
      ) : (
        <IfPermitted method="post" href={path}>
          <Panel title="Add a domain">
            <form method="post" action={path} class="stack">
              <Field
                name="domain"
                label="Domain"
                value={typed}
                placeholder="jobs.example.org"
                hint="A host name, without https:// and without a path."
                error={error === undefined ? undefined : sentence(error)}
                required
                spellcheck={false}
                autocomplete="off"
              />
              {vouches ? (
                <Field
                  name="vouched"
                  label="Proof"
                  options={[
                    { value: 'false', label: 'DNS record of the owner' },
                    { value: 'true', label: 'None: I answer for it' },
                  ]}
                  hint="A domain that you answer for is active at once."
                />
              ) : null}
              <div class="actions">
                <Button look="primary">Add domain</Button>
              </div>
            </form>
          </Panel>
        </IfPermitted>
      )}
    </div>
  )
}

function DomainPanel(props: { domain: ShownDomain; path: string; operates: boolean; now: number }) {
  const { domain, path, operates, now } = props
  const { name, state, vouched, records } = domain
  const at = `${path}/${name}`
  const rows = [
    ...(vouched
      ? []
      : [
          {
            type: 'TXT',
            why: operates ? 'proves that it is the owner’s' : 'proves that it is yours',
            ...records.proof,
          },
        ]),
    { type: 'CNAME', why: 'sends requests here', ...records.traffic },
  ]
  return (
    <Panel title={name} aside={lookBadge(looks[state])} flush>
      <div class="panel-body stack">
        <Standing {...domain} now={now} />
        <div class="actions">
          {vouched ? null : (
            <PostButton action={`${at}/check`} look={state === 'active' ? 'plain' : 'primary'} about={name}>
              Check now
            </PostButton>
          )}
          <Confirm ask="Remove…" about={name} confirm="Remove it" look="plain" action={`${at}/remove`}>
            <p>Requests for {name} no longer reach the instance, at once.</p>
          </Confirm>
        </div>
      </div>
      <Table
        caption={`DNS records of ${name}`}
        rows={rows}
        rowId={row => `${row.type}-${name}`}
        columns={[
          {
            label: 'Record',
            kind: 'lead',
            cell: row => (
              <>
                {row.type}
                <span class="sub">{row.why}</span>
              </>
            ),
          },
          { label: 'Name', cell: row => <code class="secret">{row.name}</code> },
          { label: 'Value', cell: row => <code class="secret">{row.value}</code> },
        ]}
      />
    </Panel>
  )
}

function Standing({
  name,
  state,
  vouched,
  finding,
  checkedAt,
  records,
  stopsAt,
  expiresAt,
  now,
}: ShownDomain & { now: number }) {
  return (
    <>
      <p>
        {state === 'waiting' ? (
          <>
            Set both records where the DNS of {name} is managed, then check. New records may take some minutes
            to be seen. Where a name cannot have a CNAME, such as the bare domain of a zone, set the addresses
            of <code>{records.traffic.value}</code> as A and AAAA records.
          </>
        ) : null}
        {state === 'active' ? (
          <>
            Requests for <a href={`//${name}`}>{name}</a> reach the instance
            {vouched
              ? '. The operator answers for it.'
              : '. Keep the TXT record: it is looked for every few hours.'}
          </>
        ) : null}
        {state === 'losing' ? (
          <>
            The TXT record is gone. Requests still reach the instance
            {stopsAt === null ? (
              ''
            ) : (
              <>
                {' '}
                until <Time at={stopsAt} now={now} as="full" />
              </>
            )}
            . Set the record again to keep the domain.
          </>
        ) : null}
        {state === 'lost'
          ? 'Requests for it no longer reach the instance. Set the TXT record again, then check.'
          : null}
      </p>
      {checkedAt === null && expiresAt === null ? null : (
        <p class="fine">
          {finding === null || checkedAt === null ? null : (
            <>
              Last check <Time at={checkedAt} now={now} />: {finding}.{' '}
            </>
          )}
          {expiresAt === null ? null : (
            <>
              Forgotten on <Time at={expiresAt} now={now} as="full" />, unless it is proven.
            </>
          )}
        </p>
      )}
    </>
  )
}
