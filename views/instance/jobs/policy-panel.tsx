import type { Job } from '../../../runtime/jobs/contract.ts'
import { Facts, Panel } from '../../components/panel.tsx'
import { policyLines } from './policy-words.ts'

/** How the job runs. What the job sets itself is highlighted; the rest are defaults. */
export function PolicyPanel({ job }: { job: Job }) {
  const lines = policyLines(job)
  return (
    <Panel title="How it runs">
      <Facts
        of={Object.fromEntries(
          lines.map(({ label, words, own }) => [
            label,
            own ? <strong>{words}</strong> : <span class="soft">{words}</span>,
          ]),
        )}
      />
    </Panel>
  )
}
