import type { RepoRemote } from '../../../runtime/repo/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'

/** The changes of both sides, side by side, and the choices. */
export function BothSides({ conflict }: { conflict: NonNullable<RepoRemote['conflict']> }) {
  const rewritten = conflict.kind === 'rewritten'
  return (
    <Panel title={rewritten ? 'What differs' : 'Changed on both sides'} id="sides">
      <div class="stack">
        {conflict.files.slice(0, 50).map(file => (
          <section>
            <h3>
              <code>{file.path}</code>
            </h3>
            <div class="halves">
              <Side name="Here" text={file.ours} />
              <Side name="On the remote" text={file.theirs} />
            </div>
          </section>
        ))}
        {conflict.files.length > 50 ? <p class="fine">and {conflict.files.length - 50} more files</p> : null}
        <div class="actions">
          <Pick side="ours" theirs={conflict.theirs}>
            {rewritten
              ? 'A commit on top of the remote’s new history restores what is here. Nothing is force-pushed.'
              : 'Where both sides changed the same lines, this side stays. Everything else is merged and pushed to the remote.'}
          </Pick>
          <Pick side="theirs" theirs={conflict.theirs}>
            {rewritten
              ? 'The new history is taken, with the edits made here since the last sync on top of it.'
              : 'Where both sides changed the same lines, the remote’s side is taken. Everything else is merged.'}{' '}
            This side stays in the history.
          </Pick>
        </div>
      </div>
    </Panel>
  )
}

function Side({ name, text }: { name: string; text: string | null }) {
  return (
    <div>
      <p class="fine">{name}</p>
      {text === null ? <p>The file is missing here, or is not text.</p> : <pre class="code">{text}</pre>}
    </div>
  )
}

function Pick({ side, theirs, children }: { side: 'ours' | 'theirs'; theirs: string; children: unknown }) {
  const words = side === 'ours' ? 'what is here' : 'what the remote has'
  return (
    <Confirm
      ask={`Keep ${words}…`}
      confirm={`Keep ${words}`}
      look="plain"
      action="/api/jobs/repo/resolve"
      fields={{ side, theirs }}
    >
      <p>{children as string}</p>
    </Confirm>
  )
}
