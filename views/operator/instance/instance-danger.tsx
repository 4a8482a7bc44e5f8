import type { Child } from 'hono/jsx'
import { Confirm } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import { Time } from '../../components/time.tsx'
import { Purge, type RemovalProps, Transfer } from './instance-removal.tsx'

/**
 * Everything that interrupts an instance or takes something from it, one line each: what is kept, and what is lost. `busy`: an
 * operation is in progress. `restorable`: there are backups.
 */
export function DangerZone(props: RemovalProps & { busy: boolean; restorable: boolean }) {
  const { subdomain, status, suspension, rollback, volume, ownerEmail, busy, restorable, now } = props
  const action = (verb: string) => `/admin/instances/${subdomain}/${verb}`
  const stays = status !== 'deprovisioning'
  const isUp = stays && status !== 'stopped' && status !== 'failed' && suspension === null
  return (
    <Panel title="Danger zone" flush>
      <ul class="danger">
        {isUp ? (
          <>
            <Row says="Runs in progress get time to finish. Nothing is lost; due times meanwhile are handled as each job says.">
              <Confirm ask="Restart…" confirm="Restart it" look="plain" action={action('restart')}>
                <p>The instance stops and starts again. Requests wait for it.</p>
              </Confirm>
            </Row>
            <Row says="No jobs run and no one can open it until it is started. All data, its name and its password are kept.">
              <Confirm ask="Stop…" confirm="Stop it" look="plain" action={action('stop')}>
                <p>Runs in progress get time to finish. It stays stopped until you or its owner start it.</p>
              </Confirm>
            </Row>
          </>
        ) : null}
        {stays ? (
          <Row says="Everyone is signed out, and the old password stops working. All data and API tokens are kept.">
            <Confirm
              ask="Reset password…"
              confirm="Create a new password"
              look="plain"
              action={action('reset-password')}
            >
              <p>
                The password is not stored, so it cannot be shown, only reset. The new one is shown once. A
                running instance is restarted.
              </p>
            </Confirm>
          </Row>
        ) : null}
        {rollback === null || busy || !stays ? null : (
          <Row says="The previous image and data come back. What was saved since is only in a backup.">
            <Confirm ask="Roll back…" confirm="Roll back" action={action('rollback')}>
              <p>
                The instance goes back to <code>{rollback.image}</code>, with its data of{' '}
                <Time at={rollback.at} now={now} as="full" />.{' '}
                <strong>What was saved since is no longer in it.</strong> A backup of the current data is made
                first. Due times that have run are not run again, and everyone is signed out.
              </p>
            </Confirm>
          </Row>
        )}
        {restorable && stays ? (
          <Row says="The data of a backup replace the current data, which are backed up first. What was saved since the backup is only in that new one.">
            <a class="button" href="#backups">
              Choose a backup
            </a>
          </Row>
        ) : null}
        <Row says={`Another owner gets all data and a new password. ${ownerEmail} loses access at once.`}>
          <Transfer {...props} />
        </Row>
        <Row says="The container goes. The data and the name are kept for the retention period, and can be brought back.">
          <Confirm
            ask="Remove instance…"
            confirm="Remove, and keep the volume"
            action={action('deprovision')}
          >
            <p>
              This removes the container. The volume at <code>{volume}</code> and the name are kept for{' '}
              {ownerEmail}.
            </p>
          </Confirm>
        </Row>
        <Row says="Jobs, history and all other data are deleted, and the name becomes free. Backups are kept for a while.">
          <Purge {...props} />
        </Row>
      </ul>
    </Panel>
  )
}

/** A button beside what it keeps and takes. */
function Row({ says, children }: { says: string; children: Child }) {
  return (
    <li>
      <p>{says}</p>
      {children}
    </li>
  )
}
