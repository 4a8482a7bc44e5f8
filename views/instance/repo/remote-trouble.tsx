import type { RepoRemote } from '../../../runtime/repo/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { Notice } from '../../components/panel.tsx'
import { Badge } from '../../components/status.tsx'
import { Time } from '../../components/time.tsx'

export function RemoteBadge({ remote }: { remote: RepoRemote }) {
  if (!remote.connected) {
    return (
      <Badge tone="idle" shape="ring">
        Not connected
      </Badge>
    )
  }
  if (remote.conflict) {
    return (
      <Badge tone="bad" shape="cross">
        Conflict
      </Badge>
    )
  }
  if (remote.held) {
    return (
      <Badge tone="warn" shape="triangle">
        Waiting for you
      </Badge>
    )
  }
  if (remote.error) {
    return (
      <Badge tone="warn" shape="triangle">
        Not synced
      </Badge>
    )
  }
  return remote.syncing ? (
    <Badge tone="busy" shape="turning">
      Syncing
    </Badge>
  ) : (
    <Badge tone="ok" shape="check">
      In sync
    </Badge>
  )
}

/** What happened, what was kept, and what to do. */
export function RemoteTrouble({ remote, now }: { remote: RepoRemote; now: number }) {
  const { conflict, held, error, nextSyncAt } = remote
  return (
    <>
      {error ? (
        <Notice tone="warn" title="The last sync failed">
          <p>
            {capital(error)}. The current jobs keep running, and every edit is kept.
            {nextSyncAt === null ? null : (
              <>
                {' '}
                The next attempt is <Time at={nextSyncAt} now={now} />.
              </>
            )}
          </p>
        </Notice>
      ) : null}
      {held ? (
        <Notice tone="warn" title={`The remote would remove ${held.removes.length} of ${held.of} jobs`}>
          <p>
            {held.removes.slice(0, 20).map((id, i) => (
              <>
                {i > 0 ? ', ' : ''}
                <code>{id}</code>
              </>
            ))}
            {held.removes.length > 20 ? ` and ${held.removes.length - 20} more` : ''}. Nothing has changed
            here: these jobs keep running until you confirm the change. If it was a mistake, restore them on
            the remote.
          </p>
          <Confirm
            ask="Accept the change…"
            confirm="Remove these jobs here"
            action="/api/jobs/repo/sync"
            fields={{ confirm: held.theirs }}
          >
            The remote’s commit <code>{held.theirs.slice(0, 7)}</code> removes these jobs here. Their runs,
            their logs and the history of their code are kept.
          </Confirm>
        </Notice>
      ) : null}
      {conflict ? (
        <Notice
          tone="bad"
          title={
            conflict.kind === 'rewritten'
              ? 'The remote’s history was rewritten'
              : 'Both sides changed the same lines'
          }
        >
          <p>
            {conflict.kind === 'rewritten'
              ? 'It no longer contains what was synced before, so someone has force-pushed. '
              : ''}
            The current jobs keep running. The remote’s branch was not changed
            {conflict.sideBranch ? (
              <>
                ; this side was pushed there as the branch <code>{conflict.sideBranch}</code>
              </>
            ) : null}
            . <a href="/repo/remote#sides">Look at both sides</a> and pick one, or merge them in a clone of
            your own and push.
          </p>
        </Notice>
      ) : null}
    </>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
