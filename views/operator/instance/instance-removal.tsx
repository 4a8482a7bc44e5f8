import { Confirm, PostButton } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Facts, Notice, Panel } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import { Time } from '../../components/time.tsx'
import type { InstanceView } from './instance-view.ts'

export type RemovalProps = InstanceView & {
  /** What is wrong with the name that was typed to delete its data. */
  purgeFault: string | null
  now: number
}

/** An instance that was removed, and the way back while its volume is kept. */
export function Kept(instance: RemovalProps) {
  const { subdomain, ownerEmail, deletedBy, purgeAt, retentionHeld, suspension, now } = instance
  return (
    <>
      <Panel title="The volume is kept">
        <div class="stack">
          <p>
            All data is unchanged. The name <code>{subdomain}</code> is reserved for {ownerEmail}.
          </p>
          {retentionHeld ? (
            <Notice tone="warn" title="The retention period has ended, but the volume was not deleted">
              <p>{retentionHeld}</p>
            </Notice>
          ) : null}
          <Facts
            of={{
              'Removed by': deletedBy,
              'Automatic deletion': purgeAt === null ? 'never' : <Countdown at={purgeAt} now={now} />,
            }}
          />
          {suspension === null ? null : (
            <p>
              The instance is suspended. If you undo the removal, it stays stopped, billing removes it again
              while it is not paid for, and the retention period keeps counting. Once it is paid for, or its
              account is exempt, it comes back by itself.
            </p>
          )}
          <PostButton action={`/admin/instances/${subdomain}/restore`} look="primary">
            Restore instance
          </PostButton>
          <Purge {...instance} />
        </div>
      </Panel>
      <Panel title="Owner">
        <div class="stack">
          <p>The instance belongs to {instance.ownerEmail}.</p>
          <Transfer {...instance} />
        </div>
      </Panel>
    </>
  )
}

function Countdown({ at, now }: { at: number; now: number }) {
  return (
    <>
      <Time at={at} now={now} />, <Time at={at} now={now} as="full" />
    </>
  )
}

export function Purge(instance: RemovalProps) {
  const { subdomain, volume, status, purgeFault, lostWithoutCopy } = instance
  return (
    <Confirm
      ask="Delete data…"
      confirm="Delete for good"
      action={`/admin/instances/${subdomain}/purge`}
      open={purgeFault !== null}
    >
      <p>
        {status === 'deleted' ? 'This' : 'This removes the instance, ends its current runs and'} deletes{' '}
        <code>{volume}</code>: jobs, history and everything else. The name becomes free.{' '}
        <strong>This cannot be undone.</strong>
      </p>
      <Field
        name="confirm"
        label={`Type ${subdomain} to confirm`}
        error={purgeFault === null ? undefined : sentence(purgeFault)}
        required
        autofocus={purgeFault !== null}
        autocomplete="off"
        spellcheck={false}
      />
      {lostWithoutCopy === null ? null : (
        <>
          <p>
            The last deletion was refused: no backup of the data could be made. The cause is with the
            operation below. If you delete them without a backup, {lostWithoutCopy}.
          </p>
          <label class="check">
            <input type="checkbox" name="without_copy" value="true" /> Delete the data even if no backup of
            them can be made
          </label>
        </>
      )}
    </Confirm>
  )
}

export function Transfer({ subdomain, ownerEmail }: InstanceView) {
  return (
    <Confirm
      ask="Change owner"
      confirm="Transfer to the new owner"
      look="plain"
      action={`/admin/instances/${subdomain}/transfer`}
    >
      <p>
        The new owner gets all data: jobs, history and secrets. {ownerEmail} loses access at once. The
        instance gets a new password, which is shown here once. It stops while a backup of its data is made.
      </p>
      <Field
        name="owner_email"
        label="Email address of the new owner"
        type="email"
        required
        autocomplete="off"
      />
    </Confirm>
  )
}
