import { Confirm } from '../components/button.tsx'
import { Notice } from '../components/panel.tsx'
import type { InstanceView } from './instance.tsx'

/** Why an instance is kept from its volume, and what the operator can do about it. */
export function VolumeTrouble({ subdomain, volume, volumeFault, statusReason, suspension }: InstanceView) {
  if (volumeFault === null) return null
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

const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
