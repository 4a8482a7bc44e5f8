import type { CopyReason } from '../../../plugins/provisioner/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { EmptyState, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { dateTime } from '../../components/time-words.ts'
import { reasons, sizeWords } from '../instance/instance-copies.tsx'

interface DeletedBackup {
  id: string
  subdomain: string
  reason: CopyReason
  createdAt: number
  bytes: number | null
  provenAt: number | null
}

interface DeletedBackupsProps {
  copies: readonly DeletedBackup[]
  /** Only those of this name; '' for all. */
  subdomain: string
  /** Where the next page begins; null on the last one. */
  next: string | null
  now: number
}

/** The copies that are left of instances whose data were deleted, and a form that restores each. */
export function DeletedBackupsPage({ copies, subdomain, next, now }: DeletedBackupsProps) {
  const query = new URLSearchParams({
    ...(subdomain !== '' && { subdomain }),
    ...(next !== null && { cursor: next }),
  })
  return (
    <div class="stack">
      <PageHead
        title="Backups of deleted instances"
        lead={subdomain === '' ? 'Kept for BACKUP_KEEP_PURGED after a purge' : `Only those of ${subdomain}`}
      />
      <Panel title="Backups" flush>
        {copies.length === 0 ? (
          <EmptyState title="No backups of deleted instances">
            <p>The last backup of an instance is kept for a time after its data are deleted.</p>
          </EmptyState>
        ) : (
          <Table
            caption="Backups of deleted instances, newest first"
            rows={copies}
            rowId={({ id }) => id}
            columns={[
              {
                label: 'Instance',
                kind: 'lead',
                cell: copy => (
                  <>
                    {copy.subdomain}
                    <span class="sub">{copy.id}</span>
                  </>
                ),
              },
              { label: 'Made', cell: copy => <Time at={copy.createdAt} now={now} /> },
              { label: 'Why', cell: copy => reasons[copy.reason] },
              { label: 'Size', kind: 'number', cell: copy => sizeWords(copy.bytes) },
              {
                label: 'Proven',
                cell: copy => (copy.provenAt === null ? 'not yet' : <Time at={copy.provenAt} now={now} />),
              },
              { label: 'Actions', kind: 'end', cell: copy => <RestoreForm copy={copy} now={now} /> },
            ]}
          />
        )}
      </Panel>
      {next === null ? null : (
        <p>
          <a href={`/admin/backups?${query}`}>Older backups</a>
        </p>
      )}
    </div>
  )
}

function RestoreForm({ copy, now }: { copy: DeletedBackup; now: number }) {
  const { id, subdomain, createdAt } = copy
  return (
    <Confirm
      ask="Restore…"
      about={`the backup of ${subdomain} of ${dateTime(createdAt, 'UTC')}`}
      confirm="Create the instance"
      look="plain"
      action={`/admin/instances/${subdomain}/restore`}
      fields={{ backup: id }}
    >
      <p>
        This makes a new instance from the backup of <Time at={createdAt} now={now} as="full" />, with an id
        and a password of its own.
      </p>
      <Field
        name="into"
        id={`into-${id}`}
        label="Subdomain of the new instance"
        value={subdomain}
        required
        autocomplete="off"
        spellcheck={false}
      />
      <Field
        name="owner_email"
        id={`owner-${id}`}
        label="Owner"
        type="email"
        hint="Leave it empty for the last owner. Another owner needs the role own."
        autocomplete="off"
      />
    </Confirm>
  )
}
