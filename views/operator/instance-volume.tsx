import { Confirm } from '../components/button.tsx'
import { Notice } from '../components/panel.tsx'
import type { InstanceView } from './instance-view.ts'

/** Why an instance is kept from its volume, and what the operator can do about it. */
export function VolumeTrouble(instance: InstanceView) {
  const { subdomain, volume, volumeFault, statusReason, suspension, desired } = instance
  if (volumeFault === null) return null
  if (desired === 'deleted') return <NotDeleted {...instance} />
  const action = `/admin/instances/${subdomain}/begin-anew`
  const missing = volumeFault === 'missing'
  return (
    <Notice tone="bad" title={missing ? 'Its volume is missing' : 'This is not its volume'}>
      {statusReason === null ? null : <p>{sentence(statusReason)}</p>}
      <p>
        Nothing was created or changed. Mount its disk, or put its folder back there. The instance then starts
        by itself within seconds.
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

/** Why what stands at the volume's place was not deleted, and how the operator says that it may be. */
function NotDeleted({ subdomain, volume, statusReason }: InstanceView) {
  return (
    <Notice tone="bad" title="Its data was not deleted">
      {statusReason === null ? null : <p>{sentence(statusReason)}</p>}
      <p>
        Nothing at <code>{volume}</code> was deleted. The deletion is retried every few minutes: it goes on by
        itself once the instance’s own volume stands there, or nothing does.
      </p>
      <Confirm
        ask="Delete what is there…"
        confirm="Delete it for good"
        action={`/admin/instances/${subdomain}/purge`}
        fields={{ confirm: subdomain, anyway: 'true' }}
      >
        <p>
          This deletes everything at <code>{volume}</code>, although it does not say that it belongs to this
          instance. <strong>It cannot be undone.</strong> Look into the folder first.
        </p>
      </Confirm>
    </Notice>
  )
}

const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
