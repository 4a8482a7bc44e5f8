import { Confirm } from '../../components/button.tsx'
import { Field } from '../../components/field.tsx'
import { Panel } from '../../components/panel.tsx'
import type { InstanceView } from './instance-view.ts'

/** Upgrades an instance, where there are images. */
export function Upgrade(props: InstanceView & { busy: boolean }) {
  const { subdomain, status, image, version, behind, defaultImage, busy } = props
  if (status === 'deleted' || status === 'deprovisioning') return null
  if (defaultImage === null) return null
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
                  requests wait. If the new version does not become healthy, the previous image and data are
                  put back.
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
          </div>
        )}
      </div>
    </Panel>
  )
}
