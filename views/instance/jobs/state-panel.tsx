import type { StateEntry } from '../../../runtime/state/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { Panel } from '../../components/panel.tsx'
import { Time } from '../../components/time.tsx'

const mostListed = 20

/** The keys of a job's state, without values. */
export function StatePanel(props: { jobId: string; entries: readonly StateEntry[]; now: number }) {
  const { jobId, entries, now } = props
  if (entries.length === 0) return null
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const keys = entries.length === 1 ? '1 key' : `${entries.length} keys`
  return (
    <Panel title="State" aside={`${keys}, ${sizeWords(bytes)}`}>
      <div class="stack">
        <ul class="plain">
          {entries.slice(0, mostListed).map(entry => (
            <li class="pair">
              <code class="name">{entry.key}</code>
              <span class="sub">
                {sizeWords(entry.bytes)}, <Time at={entry.updatedAt} now={now} />
              </span>
            </li>
          ))}
        </ul>
        {entries.length > mostListed ? (
          <p class="fine">
            <a href={`/api/jobs/${jobId}/state`}>All keys and values</a>
          </p>
        ) : null}
        <Confirm
          ask="Clear…"
          confirm="Clear the state"
          action={`/jobs/${jobId}/state/clear`}
          about={`the state of ${jobId}`}
        >
          This deletes everything that the job has stored from run to run, and cannot be undone. Runs and
          their logs are kept.
        </Confirm>
      </div>
    </Panel>
  )
}

function sizeWords(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`
  return `${(bytes / 1024).toFixed(bytes < 10 * 1024 ? 1 : 0)} KiB`
}
