import { bytesInWords } from '../components/bytes.ts'
import { DiskUse } from '../components/disk-use.tsx'
import { Facts, Panel } from '../components/panel.tsx'
import { Time } from '../components/time.tsx'
import type { LimitsView } from './instance-view.ts'

/** What an instance may take, and what it takes. */
export function Limits({ memoryBytes, cpus, pids, runsAtOnce, disk, now }: LimitsView & { now: number }) {
  return (
    <Panel title="Limits">
      <Facts
        of={{
          Memory: bytesInWords(memoryBytes),
          CPUs: String(cpus),
          Processes: String(pids),
          'Runs at a time': String(runsAtOnce),
          Disk:
            disk.usedBytes === null || disk.measuredAt === null ? (
              `${disk.limitBytes === null ? 'without a limit' : bytesInWords(disk.limitBytes)}, not measured yet`
            ) : (
              <>
                <DiskUse usedBytes={disk.usedBytes} limitBytes={disk.limitBytes} />, measured{' '}
                <Time at={disk.measuredAt} now={now} />
              </>
            ),
        }}
      />
    </Panel>
  )
}
