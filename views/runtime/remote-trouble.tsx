import { Confirm } from '../components/button.tsx'
import { Notice } from '../components/panel.tsx'
import { Badge } from '../components/status.tsx'
import { Time } from '../components/time.tsx'
import type { RemoteView } from './shapes.ts'

export function RemoteBadge({ remote }: { remote: RemoteView }) {
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
        Waits for you
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

/** What is wrong, what was kept, and what to do. */
export function RemoteTrouble({ remote, now }: { remote: RemoteView; now: number }) {
  const { conflict, held, error, nextSyncAt } = remote
  return (
    <>
      {error ? (
        <Notice tone="warn" title="The last sync did not work">
          <p>
            {capital(error)}. Jobs run on as they are here, and every edit is kept.
            {nextSyncAt === null ? null : (
              <>
                {' '}
                The next try is <Time at={nextSyncAt} now={now} />.
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
            {held.removes.length > 20 ? ` and ${held.removes.length - 20} more` : ''}. Nothing was taken over:
            they run on until you say that it is meant. If it is not, put them back on the remote.
          </p>
          <Confirm
            ask="Take it over…"
            confirm="Remove these jobs here"
            action="/api/jobs/repo/sync"
            fields={{ confirm: held.theirs }}
          >
            The jobs end here with the remote's commit <code>{held.theirs.slice(0, 7)}</code>. Their runs and
            logs stay, and so does their code, in the history of the repo.
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
              ? 'What was synced before is no longer part of it: somebody has forced a push. '
              : ''}
            The jobs here run on as they are. Nothing was changed on the remote's branch
            {conflict.sideBranch ? (
              <>
                ; this side is there too, as the branch <code>{conflict.sideBranch}</code>
              </>
            ) : null}
            . <a href="/repo/remote#sides">Look at both sides</a> and pick one, or merge them with a git of
            your own and push.
          </p>
        </Notice>
      ) : null}
    </>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
