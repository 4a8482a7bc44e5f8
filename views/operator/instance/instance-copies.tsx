import type { CopiesOverview, CopyReason } from '../../../plugins/provisioner/contract.ts'
import { Confirm, PostButton } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Mark } from '../../components/mark.tsx'
import { Facts, Notice, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { dateTime } from '../../components/time-words.ts'

type Copy = CopiesOverview['copies'][number]

export const reasons: Record<CopyReason, string> = {
  schedule: 'scheduled',
  demand: 'on demand',
  upgrade: 'before an upgrade',
  restore: 'before a restore',
  transfer: 'before a change of owner',
  purge: 'before its data were deleted',
  upload: 'uploaded',
}

export interface CopiesProps {
  subdomain: string
  /** It is in retention: nothing is restored in place. */
  removed: boolean
  /** Null where no copies are made. */
  overview: CopiesOverview | null
  now: number
}

/** The copies of an instance, and what can be done with them. */
export function Copies({ subdomain, removed, overview, now }: CopiesProps) {
  if (overview === null) return null
  const { fault, lastProven, copies } = overview
  const kept = copies.filter(({ status }) => status === 'kept')
  const waiting = copies.some(({ status }) => status === 'waiting')
  return (
    <Panel title="Backups" id="backups">
      <div class="stack">
        {fault === null ? null : (
          <Notice tone="warn" title="No backups can be made now">
            <p>{fault}</p>
          </Notice>
        )}
        <Facts
          of={{
            'Last proven restore': lastProven ? (
              <>
                <Time at={lastProven.at} now={now} />, of the backup made{' '}
                <Time at={lastProven.createdAt} now={now} />
              </>
            ) : (
              'none yet'
            ),
          }}
        />
        {copies.length === 0 ? (
          <p>There are no backups yet. The first one is made within an hour after the first start.</p>
        ) : (
          <Table
            caption={`Backups of ${subdomain}`}
            rows={copies}
            rowId={({ id }) => id}
            columns={[
              { label: 'Made', kind: 'lead', cell: copy => <Time at={copy.createdAt} now={now} /> },
              { label: 'Why', cell: copy => reasons[copy.reason] },
              { label: 'Size', kind: 'number', cell: copy => sizeWords(copy.bytes) },
              { label: 'State', cell: copy => <State copy={copy} now={now} /> },
              {
                label: 'Actions',
                kind: 'end',
                cell: copy =>
                  copy.status === 'kept' && !removed ? (
                    <Confirm
                      ask="Restore…"
                      about={`the backup of ${dateTime(copy.createdAt, 'UTC')}`}
                      confirm="Restore this backup"
                      action={`/admin/instances/${subdomain}/restore`}
                      fields={{ backup: copy.id }}
                    >
                      <p>
                        The instance goes back to <Time at={copy.createdAt} now={now} as="full" />. It stops
                        for a moment; its current data are backed up first. If it does not start on the
                        backup, they are put back. Due times that have passed are not run again, and everyone
                        is signed out.
                      </p>
                    </Confirm>
                  ) : null,
              },
            ]}
          />
        )}
        <div class="actions">
          {fault === null && !waiting ? (
            <PostButton action={`/admin/instances/${subdomain}/backup`}>Back up now</PostButton>
          ) : null}
          {kept.length > 0 ? (
            <Confirm
              ask="Restore into a new name…"
              confirm="Create the instance"
              look="plain"
              action={`/admin/instances/${subdomain}/restore`}
            >
              <p>
                This makes a new instance, with an id and a password of its own, for the same owner. While{' '}
                <code>{subdomain}</code> is meant to run, the jobs of the new instance are off.
              </p>
              <Field
                name="backup"
                label="Backup"
                options={kept.map(({ id, createdAt, reason }) => ({
                  value: id,
                  label: `${dateTime(createdAt, 'UTC')}, ${reasons[reason]}`,
                }))}
              />
              <Field
                name="into"
                label="Subdomain of the new instance"
                required
                autocomplete="off"
                spellcheck={false}
              />
            </Confirm>
          ) : null}
        </div>
      </div>
    </Panel>
  )
}

function State({ copy, now }: { copy: Copy; now: number }) {
  if (copy.status === 'waiting') return <>being made</>
  if (copy.error !== null)
    return (
      <span class="tone-bad">
        <Mark shape="cross" />
        {copy.status === 'failed' ? 'failed' : 'does not work'}: {copy.error.split('\n')[0]?.slice(0, 300)}
      </span>
    )
  if (copy.provenAt === null) return <>not proven yet</>
  return (
    <>
      proven <Time at={copy.provenAt} now={now} />
    </>
  )
}

export function sizeWords(bytes: number | null): string {
  if (bytes === null) return '–'
  const mebibytes = bytes / 1024 ** 2
  return mebibytes < 1024 ? `${mebibytes.toFixed(1)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`
}
