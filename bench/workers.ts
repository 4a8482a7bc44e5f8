import { availableParallelism } from 'node:os'
import { cpuTicks, latencies, startLonghouse, startProxies, stopAll } from './proxies.fixture.ts'

/**
 * The edge in the control plane's process, with one worker and with two, and each while the control plane is busy for 200 ms in
 * every second. The load generator and the backend need a core each: with fewer than four, rates say little, and processor time a
 * request says whether a second worker would double them.
 */
const connections = 64
const seconds = 4

try {
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
} finally {
  await stopAll()
}
