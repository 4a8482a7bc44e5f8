import type { DiskState, PartName } from '../../../runtime/disk/contract.ts'
import { Confirm } from '../../components/button.tsx'
import { bytesInWords } from '../../components/bytes.ts'
import { DiskUse } from '../../components/disk-use.tsx'
import { Notice, PageHead, Panel } from '../../components/panel.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { SettingsNav } from './settings-nav.tsx'

export interface DiskPageProps extends DiskState {
  now: number
}

const names = {
  'job-data': ['Files of jobs', 'What jobs wrote to data/. Delete them below, or with a job.'],
  history: ['History of the jobs repo', 'All commits.'],
  packages: ['Packages', 'Installations that are not in use are deleted by themselves.'],
  'run-logs': ['Logs of runs', 'Deleted with the oldest runs.'],
  builds: ['Compiled jobs', 'Deleted when no run needs them.'],
  database: ['Records', 'Runs, slots, secrets, tokens and what jobs remember.'],
  cache: ['Caches', 'Deleted when space runs short.'],
} as const satisfies Record<PartName, readonly [string, string]>

export function DiskPage({ now, usedBytes, limitBytes, level, quota, at, parts }: DiskPageProps) {
  return (
    <>
      <PageHead title="Disk" lead="What this instance keeps, and how much space it takes." />
      <SettingsNav current="/settings/disk" />
      <div class="stack">
        <LevelNotice level={level} />
        <Panel title="Space" aside={<Time at={at} now={now} />}>
          <DiskUse usedBytes={usedBytes} limitBytes={limitBytes} />
          {limitBytes === null ? null : <p class="soft">{bound(quota)}</p>}
        </Panel>
        <Panel title="What takes it" flush>
          <Table
            caption="What takes the space"
            rows={parts}
            rowId={part => `part-${part.name}`}
            columns={[
              { label: 'What', kind: 'lead', cell: ({ name }) => names[name][0] },
              { label: 'Size', kind: 'number', cell: ({ bytes }) => bytesInWords(bytes) },
              { label: 'Note', cell: ({ name }) => names[name][1] },
            ]}
          />
        </Panel>
        <Panel title="Free space">
          <Confirm
            ask="Delete files of jobs…"
            confirm="Delete everything in data/"
            action="/api/disk/delete-job-data"
          >
            <p>
              This deletes all files in <code>data/</code> of the jobs repo. Jobs, history, secrets and what
              jobs remember stay. <strong>The deletion cannot be undone.</strong>
            </p>
          </Confirm>
        </Panel>
      </div>
    </>
  )
}

/** How the limit is enforced, in words. */
function bound(quota: DiskState['quota']): string {
  if (quota === null) return 'The instance measures its own use, and ends runs beyond 110 %.'
  const [files, most] = [quota.usedFiles, quota.files].map(count => count.toLocaleString('en-GB'))
  return `Runs are ended beyond 110 %. The file system refuses writes beyond ${bytesInWords(quota.bytes)}, and more than ${most} files and folders (${files} now).`
}

function LevelNotice({ level }: { level: DiskState['level'] }) {
  if (level === 'well') return null
  if (level === 'warned')
    return (
      <Notice tone="warn" title="Space is running short">
        <p>
          At 100 %, saves, pushes and installations are refused. Delete what is not needed, or ask the
          operator for more.
        </p>
      </Notice>
    )
  return (
    <Notice tone="bad" title="No space left">
      <p>
        Saves, pushes and installations are refused, and only the beginning and end of logs is kept.{' '}
        {level === 'beyond'
          ? 'Runs are ended, and none start, until there is room.'
          : 'Jobs still run. Beyond 110 %, runs are ended.'}
      </p>
      <p>Nothing was lost. Delete what is not needed, or ask the operator for more.</p>
    </Notice>
  )
}
