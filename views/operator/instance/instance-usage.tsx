import type { InstanceUsage, UsagePeriod } from '../../../plugins/provisioner/contract.ts'
import { bytesInWords, coresInWords } from '../../components/bytes.ts'
import { UsageChart } from '../../components/charts/usage-chart.tsx'
import { Panel } from '../../components/panel.tsx'
import type { LimitsView } from './instance-view.ts'

const periodWords: Record<UsagePeriod, { link: string; words: string }> = {
  hour: { link: 'Hour', words: 'the last hour' },
  day: { link: 'Day', words: 'the last 24 hours' },
  week: { link: 'Week', words: 'the last 7 days' },
  month: { link: 'Month', words: 'the last 30 days' },
  year: { link: 'Year', words: 'the last 365 days' },
}

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
  const axis = { from, to, stretchMs, period: periodWords[period].words }
  return (
    <Panel
      title="Usage"
      id="usage"
      aside={
        <nav class="periods" aria-label="Period">
          {Object.entries(periodWords).map(([name, { link }]) => (
            <a
              href={`/admin/instances/${subdomain}?period=${name}#usage`}
              aria-current={name === period ? 'true' : undefined}
            >
              {link}
            </a>
          ))}
        </nav>
      }
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
