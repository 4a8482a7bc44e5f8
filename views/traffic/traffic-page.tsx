import type { UsagePeriod } from '../../plugins/provisioner/contract.ts'
import { bytesInWords } from '../components/bytes.ts'
import { Periods, periodInWords } from '../components/charts/periods.tsx'
import { RequestChart } from '../components/charts/request-chart.tsx'
import { UsageChart } from '../components/charts/usage-chart.tsx'
import { Live } from '../components/live.tsx'
import { Facts, Notice, PageHead, Panel } from '../components/panel.tsx'
import { Table } from '../components/table.tsx'
import { durationWords } from '../components/time-words.ts'

interface Figures {
  requests: number
  /** Answers by class of status: 1xx, 2xx, 3xx, 4xx, 5xx. */
  answers: readonly number[]
  broken: number
  refused: number
  bytesIn: number
  bytesOut: number
  /** Until the answer began; null without answers. */
  p50Ms: number | null
  p99Ms: number | null
}

/** What passed to and from an instance. */
export interface TrafficView {
  /** The last minute, or less: how much is in `seconds`. */
  now: Figures & { seconds: number; inProgress: number }
  from: number
  to: number
  stretchMs: number
  /** The oldest first; a stretch without traffic is left out. */
  points: readonly (Figures & { at: number })[]
}

export interface TrafficProps {
  subdomain: string
  /** The address of the instance's page. */
  base: string
  period: UsagePeriod
  traffic: TrafficView
  now: number
}

/** The page of a site where requests pass Longhouse by. */
export function TrafficElsewhere({ subdomain, base }: { subdomain: string; base: string }) {
  return (
    <div class="stack">
      <PageHead title={`Traffic of ${subdomain}`} crumb={{ href: base, label: subdomain }} />
      <Notice tone="warn" title="Another proxy routes requests on this site">
        <p>Traffic is not measured here. That proxy may have figures.</p>
      </Notice>
    </div>
  )
}

/** The traffic of one instance. The whole page is live. */
export function TrafficLive({ subdomain, base, period, traffic }: TrafficProps) {
  const { now, from, to, stretchMs, points } = traffic
  const axis = { from, to, stretchMs, period: periodInWords(period) }
  const perSecond = (count: number) => count / now.seconds
  const throughput = points.map(({ at, bytesIn, bytesOut }) => {
    const rate = ((bytesIn + bytesOut) * 1000) / stretchMs
    return { at, value: { min: rate, avg: rate, max: rate } }
  })
  return (
    <Live
      id="traffic"
      src={`${base}/traffic${period === 'hour' ? '' : `?period=${period}`}`}
      everySeconds={5}
    >
      <PageHead title={`Traffic of ${subdomain}`} crumb={{ href: base, label: subdomain }} />
      <Panel title="Last minute">
        <Facts
          of={{
            Requests: `${rateWords(perSecond(now.requests))} a second`,
            'In progress': String(now.inProgress),
            'Response time': timeWords(now),
            Failed: failedOf(now) === 0 ? 'none' : `${failedOf(now)} of ${now.requests}`,
            Received: `${bytesInWords(perSecond(now.bytesIn))} a second`,
            Sent: `${bytesInWords(perSecond(now.bytesOut))} a second`,
          }}
        />
      </Panel>
      <Panel
        title="Over time"
        id="over-time"
        aside={<Periods href={`${base}/traffic`} anchor="over-time" period={period} />}
      >
        <div class="usages">
          <RequestChart
            {...axis}
            bars={points.map(point => ({
              at: point.at,
              well: (point.answers[0] ?? 0) + (point.answers[1] ?? 0) + (point.answers[2] ?? 0),
              refused: (point.answers[3] ?? 0) + point.refused,
              failed: failedOf(point),
            }))}
          />
          <UsageChart
            {...axis}
            title="Response time"
            points={points.map(({ at, p50Ms, p99Ms }) => ({
              at,
              value: p50Ms === null || p99Ms === null ? null : { min: p50Ms, avg: p50Ms, max: p99Ms },
            }))}
            limit={null}
            words={durationWords}
            unit={1}
          />
          <UsageChart
            {...axis}
            title="Throughput"
            points={throughput}
            limit={null}
            words={bytes => `${bytesInWords(bytes)}/s`}
            unit={1024}
          />
        </div>
        <p class="fine">
          In the bars, requests that failed are at the foot, with a mark below the line; above them are those
          that were refused. The line of response times is the median, and the area above it reaches to the
          99th percentile: one answer in a hundred took longer. Times are until an answer began.
        </p>
      </Panel>
      <Panel title="Answers" flush>
        <Table
          caption={`Answers in ${periodInWords(period)}`}
          columns={[
            { label: 'Answer', cell: row => row.words, kind: 'lead' },
            { label: 'Requests', cell: row => row.count.toLocaleString('en-US'), kind: 'number' },
            { label: 'Share', cell: row => row.share, kind: 'number' },
          ]}
          rows={answerRows(points)}
          rowId={row => row.id}
        />
      </Panel>
    </Live>
  )
}

const failedOf = ({ answers, broken }: Figures) => (answers[4] ?? 0) + broken

function rateWords(rate: number): string {
  return rate >= 10
    ? Math.round(rate).toLocaleString('en-US')
    : String(Number(rate.toFixed(rate < 1 ? 2 : 1)))
}

function timeWords({ p50Ms, p99Ms }: Figures): string {
  if (p50Ms === null || p99Ms === null) return 'no answers'
  return `median ${durationWords(p50Ms)}, 99th percentile ${durationWords(p99Ms)}`
}

function answerRows(points: readonly Figures[]) {
  const sum = (of: (figures: Figures) => number) => points.reduce((all, point) => all + of(point), 0)
  const total = sum(({ requests }) => requests)
  const row = (id: string, words: string, of: (figures: Figures) => number) => {
    const count = sum(of)
    return { id, words, count, share: count === 0 ? '' : `${Number(((count / total) * 100).toFixed(1))} %` }
  }
  const status = (index: number) => (figures: Figures) => figures.answers[index] ?? 0
  return [
    row('answers-2xx', 'Successful (2xx)', status(1)),
    row('answers-3xx', 'Redirected or unchanged (3xx)', status(2)),
    row('answers-4xx', 'Refused (4xx, or for a limit)', figures => status(3)(figures) + figures.refused),
    row('answers-5xx', 'Failed (5xx)', status(4)),
    row('answers-broken', 'Broken off', ({ broken }) => broken),
    row('answers-1xx', 'WebSockets that ended', status(0)),
  ]
}
