import { Confirm } from '../../components/button.tsx'
import { Notice } from '../../components/panel.tsx'
import { sentence } from '../../components/sentence.ts'
import type { InstanceView } from './instance-view.ts'

/** Why an instance cannot use its volume, and what the operator can do about it. */
export function VolumeTrouble(instance: InstanceView) {
  const { subdomain, volume, volumeFault, statusReason, suspension, desired } = instance
  if (volumeFault === null) return null
  if (desired === 'deleted') return <NotDeleted {...instance} />
  const action = `/admin/instances/${subdomain}/begin-anew`
  const missing = volumeFault === 'missing'
  return (
    <Notice tone="bad" title={missing ? 'The volume is missing' : 'This is not the instance’s volume'}>
      {statusReason === null ? null : <p>{sentence(statusReason)}</p>}
      <p>
        Nothing was created or changed. Mount the volume’s disk, or put its folder back. The instance then
        starts by itself within seconds.
      </p>
      {suspension !== null ? null : missing ? (
        <Confirm ask="Start over…" confirm="Start with an empty volume" action={action}>
          <p>
            The instance starts with a new, empty volume: no jobs, no history, no secrets. Only do this if the
            data is lost for good.
          </p>
        </Confirm>
      ) : (
        <Confirm
          ask="Adopt this volume…"
          confirm="Start with this volume"
          action={action}
          fields={{ adopt: 'true' }}
        >
          <p>
            The volume at <code>{volume}</code> becomes this instance’s own, and the instance starts with it.
            Only do this if you put it there yourself, for example from a backup.
          </p>
        </Confirm>
      )}
    </Notice>
  )
}

/** Why the folder in the volume's place was not deleted, and the button that deletes it anyway. */
function NotDeleted({ subdomain, volume, statusReason }: InstanceView) {
  return (
    <Notice tone="bad" title="The data was not deleted">
      {statusReason === null ? null : <p>{sentence(statusReason)}</p>}
      <p>
        Nothing at <code>{volume}</code> was deleted. The deletion is retried every few minutes. It succeeds
        once the instance’s own volume is there, or nothing is.
      </p>
      <Confirm
        ask="Delete what is there…"
        confirm="Delete it for good"
        action={`/admin/instances/${subdomain}/purge`}
        fields={{ confirm: subdomain, anyway: 'true' }}
      >
        <p>
          This deletes everything at <code>{volume}</code>, although nothing there says that it belongs to
          this instance. <strong>This cannot be undone.</strong> Look into the folder first.
        </p>
      </Confirm>
    </Notice>
  )
}
