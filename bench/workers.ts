import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { shareOfCore } from './cgroup.fixture.ts'
import {
  type Candidate,
  cpuTicks,
  latencies,
  load,
  median,
  startLonghouse,
  startProxies,
  stopAll,
} from './proxies.fixture.ts'

/**
 * The edge in the control plane's process, with one worker and with two, and each while the control plane is busy for 200 ms in
 * every second. The load generator and the backend need a core each: with fewer than four, these rates say little. So one worker and
 * two are compared again with a part of a core for each, which leaves the rest to the others.
 */
const connections = 64
const seconds = 4
const part = 0.25
const rounds = 5

try {
  await compareAll()
  if (process.getuid?.() === 0) await compareShares()
  else console.log('\none worker and two with a part of a core each: left out, it needs root')
} finally {
  await stopAll()
}

async function compareAll(): Promise<void> {
  const candidates = ['0', '1', '2'].flatMap(workers =>
    ['0', '200'].map(busyMs => ({
      name: `${workers === '0' ? 'in process' : `${workers} workers`}${busyMs === '0' ? '' : ', busy'}`,
      start: (port: number, backend: number) =>
        startLonghouse(port, backend, ['0', workers, busyMs], `0-${availableParallelism() - 1}`),
    })),
  )
  console.log(`${connections} connections, ${availableParallelism()} cores for everything`)
  for (const candidate of candidates) {
    const { started } = await startProxies([candidate])
    for (const { name, port, child } of started) {
      latencies(port, { seconds: 1, connections })
      const before = cpuTicks(child.pid ?? 0)
      const { rate, p50, p99 } = latencies(port, { seconds, connections })
      const cpuUs = ((cpuTicks(child.pid ?? 0) - before) * 10_000) / (rate * seconds)
      console.log(
        `${name.padEnd(18)}  ${String(Math.round(rate)).padStart(6)} req/s  ${cpuUs.toFixed(0).padStart(3)} µs CPU  p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms`,
      )
      const over = new Promise(done => child.once('exit', done))
      child.kill('SIGTERM')
      await over
    }
  }
}

async function compareShares(): Promise<void> {
  const shares = Array.from({ length: 3 }, (_, i) => shareOfCore(`longhouse-bench-${process.pid}-${i}`, part))
  const candidates: Candidate[] = ['1', '2'].map(workers => ({
    name: `${workers} × ${part} of a core`,
    start: (port, backend) =>
      startLonghouse(port, backend, ['0', workers], `0-${availableParallelism() - 1}`),
  }))
  const { started } = await startProxies(candidates)
  const left = [...shares]
  for (const { child } of started) {
    for (const pid of workersBelow(child.pid ?? 0)) left.shift()?.take(pid)
  }
  if (left.length > 0) throw new Error('there are fewer workers than were asked for')
  const rates = started.map(() => [] as number[])
  for (let round = 0; round <= rounds; round++) {
    // The first round opens connections and compiles.
    for (const [i, { port }] of started.entries()) {
      const rate = load(port, { seconds: 2, connections })
      if (round > 0) rates[i]?.push(rate)
    }
  }
  const [one = 0, two = 0] = rates.map(median)
  console.log(`\n${part} of a core for each worker, medians of ${rounds} rounds`)
  for (const [i, { name }] of started.entries())
    console.log(`${name.padEnd(18)}  ${Math.round(i === 0 ? one : two)} req/s`)
  console.log(`two workers do ${(two / one).toFixed(2)} × what one does`)
  await stopAll()
  for (const share of shares) share.remove()
}

/** The processes of edge workers below a process. */
function workersBelow(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return children.flatMap(child =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('edge-worker') ? [child] : workersBelow(child),
  )
}
