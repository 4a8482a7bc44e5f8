import type { InstanceUsage, UsagePeriod } from '../../../plugins/provisioner/contract.ts'
import { bytesInWords, coresInWords } from '../../components/bytes.ts'
import { Periods, periodInWords } from '../../components/charts/periods.tsx'
import { UsageChart } from '../../components/charts/usage-chart.tsx'
import { Panel } from '../../components/panel.tsx'
import type { LimitsView } from './instance-view.ts'

export interface UsageProps {
  subdomain: string
  period: UsagePeriod
  /** Null where nothing is measured. */
  usage: InstanceUsage | null
  limits: LimitsView
}

/** Processor, memory and disk of an instance over time. */
export function Usage({ subdomain, period, usage, limits }: UsageProps) {
  if (usage === null) return null
  const { from, to, stretchMs, points } = usage
  const axis = { from, to, stretchMs, period: periodInWords(period) }
  return (
    <Panel
      title="Usage"
      id="usage"
      aside={<Periods href={`/admin/instances/${subdomain}`} anchor="usage" period={period} />}
    >
      <div class="usages">
        <UsageChart
          {...axis}
          title="CPU"
          points={points.map(({ at, cpu }) => ({ at, value: cpu }))}
          limit={limits.cpus}
          words={coresInWords}
          unit={0.005}
        />
        <UsageChart
          {...axis}
          title="Memory"
          points={points.map(({ at, memoryBytes }) => ({ at, value: memoryBytes }))}
          limit={limits.memoryBytes}
          words={bytesInWords}
          unit={1024 ** 2}
        />
        <UsageChart
          {...axis}
          title="Disk"
          points={points.map(({ at, diskBytes }) => ({ at, value: diskBytes }))}
          limit={limits.disk.limitBytes}
          words={bytesInWords}
          unit={1024 ** 2}
        />
      </div>
    </Panel>
  )
}
