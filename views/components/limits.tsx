import type { DiskUse as MeasuredUse } from '../../plugins/provisioner/contract.ts'
import { bytesInWords } from './bytes.ts'
import { DiskUse } from './disk-use.tsx'
import { Facts, Panel } from './panel.tsx'
import { Time } from './time.tsx'

/** What an instance may take of the host, and takes. */
export interface LimitsView {
  memoryBytes: number
  cpus: number
  pids: number
  runsAtOnce: number
  disk: MeasuredUse
}

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
