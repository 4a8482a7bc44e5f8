/**
 * Measures the time from `POST /admin/instances` to the first 200 of `/api/health` through the router, polled without
 * a pause. As a baseline, the same run measures `docker run` of a bare Node HTTP server until it answers. Prints
 * medians. The docker driver needs an engine (DOCKER_HOST) and LONGHOUSE_TEST_IMAGE.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DriverName, startLonghouse, testImage } from '../e2e/longhouse.fixture.ts'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'

const rounds = Number(process.argv[2] ?? 9)

function print(name: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)
  console.log(
    `${name.padEnd(46)} min ${at(0)} ms   median ${at(0.5)} ms   max ${at(1)} ms   (${times.length} runs)`,
  )
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

async function provisioning(driver: DriverName): Promise<void> {
  const releases: (() => unknown)[] = []
  const dataRoot = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  const longhouse = await startLonghouse(
    { after: (release: () => unknown) => releases.push(release) } as never,
    {
      driver,
      dataRoot,
    },
  )
  const first: number[] = []
  const stopped: number[] = []
  try {
    for (let i = 0; i <= rounds; i++) {
      const subdomain = `bench-${i}`
      const body = { subdomain, owner_email: 'bench@example.com' }
      const took = await timed(async () => {
        await longhouse.admin('/admin/instances', { body })
        await eventually(
          'health',
          async () => (await longhouse.instance(subdomain, '/api/health')).status === 200,
        )
      })
      const down = await timed(() =>
        longhouse.admin(`/admin/instances/${subdomain}?purge=true`, { method: 'DELETE', wait: 60 }),
      )
      // The first round warms the engine's and the disk's caches.
      if (i > 0) {
        first.push(took)
        stopped.push(down)
      }
    }
  } finally {
    for (const release of releases) await release()
    rmSync(dataRoot, { recursive: true, force: true })
  }
  print(`${driver} driver: POST → first 200`, first)
  print(`${driver} driver: purge`, stopped)
}

async function bareContainer(image: string): Promise<void> {
  const times: number[] = []
  // A network of its own: an engine need not have a default one.
  const docker = (...args: string[]) =>
    execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const network = docker('network', 'create', `longhouse-bench-${process.pid}`)
  const server = "require('http').createServer((q,r)=>r.end('ok')).listen(8080)"
  for (let i = 0; i <= rounds; i++) {
    let id = ''
    const took = await timed(async () => {
      id = docker('run', '-d', '--network', network, '-p', '127.0.0.1::8080', image, 'node', '-e', server)
      const port = Number(docker('port', id, '8080').split(':').pop())
      await eventually('it answers', async () => (await ask({ port, host: 'localhost' })).status === 200)
    })
    docker('rm', '-f', id)
    if (i > 0) times.push(took)
  }
  docker('network', 'rm', network)
  print('docker run of a bare Node HTTP server', times)
}

await provisioning('process')
if (testImage) {
  await bareContainer(testImage)
  await provisioning('docker')
} else console.log('docker driver: left out, LONGHOUSE_TEST_IMAGE names no runtime image')
