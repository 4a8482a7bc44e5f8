/**
 * A control plane with 10,000 instances of the process driver: from its start until it listens, by the clock and in
 * processor time, and the list of instances as a page and as JSON. None of their programs comes up: each volume is
 * missing, so that what is measured is the control plane.
 *   node --import tsx bench/fleet.ts [number of instances] [requests]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Longhouse, startLonghouse } from '../e2e/longhouse.fixture.ts'
import { addInstances } from '../plugins/provisioner/reconciler/many-instances.fixture.ts'

const howMany = Number(process.argv[2] ?? 10_000)
const requests = Number(process.argv[3] ?? 300)
const starts = 3

const dataRoot = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
const releases: (() => unknown)[] = []
const start = () =>
  startLonghouse({ after: (release: () => unknown) => releases.push(release) } as never, {
    driver: 'process',
    dataRoot,
    env: { HEALTH_INTERVAL: '1h', LOG_LEVEL: 'silent' },
  })

/** The processor time that a process has taken. */
function processorMs({ process: { pid } }: Longhouse): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function print(name: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0).toFixed(0)
  console.log(
    `${name.padEnd(46)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   most ${at(1)} ms   (${times.length} times)`,
  )
}

try {
  await (await start()).end('SIGTERM')
  addInstances(dataRoot, howMany, { volumes: false })
  const listening: number[] = []
  const processor: number[] = []
  let longhouse: Longhouse | undefined
  for (let i = 0; i < starts; i++) {
    await longhouse?.end('SIGKILL')
    const startedAt = performance.now()
    longhouse = await start()
    listening.push(performance.now() - startedAt)
    processor.push(processorMs(longhouse))
  }
  if (!longhouse) throw new Error('no start was asked for')
  print(`${howMany} instances: start → listening`, listening)
  print(`${howMany} instances: processor time until then`, processor)
  for (const [what, path, headers] of [
    ['list, page', '/admin/instances', { Accept: 'text/html' }],
    ['list, last page', `/admin/instances?offset=${howMany - 100}`, { Accept: 'text/html' }],
    ['list, sorted by owner', '/admin/instances?sort=-owner', { Accept: 'text/html' }],
    ['list, filtered', '/admin/instances?desired=running&plan=none&search=9', { Accept: 'text/html' }],
    ['list, JSON of 100', '/admin/instances?limit=100', {}],
    ['list, JSON of 1,000', '/admin/instances', {}],
  ] as const) {
    const took: number[] = []
    const before = processorMs(longhouse)
    for (let i = 0; i < requests; i++) {
      const startedAt = performance.now()
      const { status } = await longhouse.admin(path, { headers })
      if (status !== 200) throw new Error(`${path} answered ${status}`)
      took.push(performance.now() - startedAt)
    }
    print(what, took)
    console.log(`  processor time of each: ${((processorMs(longhouse) - before) / requests).toFixed(1)} ms`)
  }
} finally {
  for (const release of releases) await release()
  rmSync(dataRoot, { recursive: true, force: true })
}
