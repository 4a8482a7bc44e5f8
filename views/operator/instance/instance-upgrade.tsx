import { Confirm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Panel } from '../../components/panel.tsx'
import { Time } from '../../components/time.tsx'
import type { InstanceView } from './instance-view.ts'

/** Upgrades an instance, and takes it back. Where there are no images, it only appears with something to go back to. */
export function Upgrade(props: InstanceView & { busy: boolean; now: number }) {
  const { subdomain, status, image, version, behind, defaultImage, rollback, busy, now } = props
  if (status === 'deleted' || status === 'deprovisioning') return null
  if (defaultImage === null && rollback === null) return null
  const action = (verb: string) => `/admin/instances/${subdomain}/${verb}`
  return (
    <Panel title={behind ? 'Upgrade: behind' : 'Upgrade'}>
      <div class="stack">
        <p>
          {behind ? (
            <>
              This instance has <code>{image}</code>
              {version ? `, version ${version}` : null}. The configured image, <code>{defaultImage}</code>, is
              another one now.
            </>
          ) : (
            <>
              This instance has <code>{image ?? 'no image of its own'}</code>
              {version ? `, version ${version}` : null}.
            </>
          )}
        </p>
        {busy ? null : (
          <div class="actions">
            {defaultImage === null ? null : (
              <Confirm ask="Upgrade…" confirm="Upgrade" look="plain" action={action('upgrade')}>
                <p>
                  Runs in progress get time to finish; then the instance stops for about a second, and
                  requests wait. If the new version does not become healthy, the image and the data of before
                  are put back.
                </p>
                <Field
                  name="image"
                  label="Image"
                  value={defaultImage}
                  autocomplete="off"
                  spellcheck={false}
                />
              </Confirm>
            )}
            {rollback === null ? null : (
              <Confirm ask="Roll back…" confirm="Roll back" action={action('rollback')}>
                <p>
                  The instance goes back to <code>{rollback.image}</code>, with its data of{' '}
                  <Time at={rollback.at} now={now} as="full" />.{' '}
                  <strong>What was saved since is no longer in it.</strong> A backup of the current data is
                  made first. Due times that have run are not run again, and everyone is signed out.
                </p>
              </Confirm>
            )}
          </div>
        )}
      </div>
    </Panel>
  )
}
