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
      <p>{statusReason}</p>
      <p>
        Nothing was created or changed. Mount its disk, or put its folder back at <code>{volume}</code>: it
        starts by itself within seconds.
      </p>
      {suspension !== null ? null : missing ? (
        <Confirm ask="Begin anew" confirm="Start with an empty volume" action={action}>
          <p>
            The instance starts with a new, empty volume: no jobs, no history, no secrets. Only do this when
            the data is lost for good.
          </p>
        </Confirm>
      ) : (
        <Confirm
          ask="Adopt this volume"
          confirm="Start with this volume"
          action={action}
          fields={{ adopt: 'true' }}
        >
          <p>
            The instance starts with what stands at <code>{volume}</code>, and it becomes its own. Only do
            this when you put it there, from a backup for example.
          </p>
        </Confirm>
      )}
    </Notice>
  )
}
