/**
 * Measures the time from `POST /admin/instances` to the first 200 of `/api/health` through the router, polled without a pause; in
 * turns with it `docker run` of a bare Node HTTP server of the same image until it answers, and their ratio. Then twenty
 * instances at once. The docker driver needs an engine (DOCKER_HOST) and LONGHOUSE_TEST_IMAGE.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DriverName, type Longhouse, startLonghouse, testImage } from '../e2e/longhouse.fixture.ts'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'

const rounds = Number(process.argv[2] ?? 9)
const atOnce = 20

function print(name: string, times: readonly number[], unit = 'ms', digits = 0): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(digits)
  console.log(
    `${name.padEnd(46)} min ${at(0)} ${unit}   median ${at(0.5)} ${unit}   max ${at(1)} ${unit}   (${times.length} runs)`,
  )
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

async function withLonghouse(
  driver: DriverName,
  work: (longhouse: Longhouse) => Promise<void>,
): Promise<void> {
  const releases: (() => unknown)[] = []
  const dataRoot = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  try {
    const after = (release: () => unknown) => releases.push(release)
    await work(await startLonghouse({ after } as never, { driver, dataRoot }))
  } finally {
    for (const release of releases) await release()
    rmSync(dataRoot, { recursive: true, force: true })
  }
}

/** From the order to the first answer. */
async function provision(longhouse: Longhouse, subdomain: string): Promise<number> {
  return await timed(async () => {
    await longhouse.admin('/admin/instances', { body: { subdomain, owner_email: 'bench@example.com' } })
    await eventually(
      `${subdomain} answers`,
      async () => (await longhouse.instance(subdomain, '/api/health')).status === 200,
      { withinMs: 300_000 },
    )
  })
}

async function inTurns(driver: DriverName, bare: (() => Promise<number>) | null): Promise<void> {
  await withLonghouse(driver, async longhouse => {
    const first: number[] = []
    const purges: number[] = []
    const others: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const other = await bare?.()
      const subdomain = `bench-${round}`
      const took = await provision(longhouse, subdomain)
      const down = await timed(() =>
        longhouse.admin(`/admin/instances/${subdomain}?purge=true`, { method: 'DELETE', wait: 60 }),
      )
      // The first round warms the engine's and the disk's caches.
      if (round === 0) continue
      first.push(took)
      purges.push(down)
      if (other !== undefined) others.push(other)
    }
    print(`${driver} driver: POST → first 200`, first)
    if (bare) {
      print('docker run of a bare Node HTTP server', others)
      print(
        'the one beside the other, by rounds',
        first.map((took, round) => took / (others[round] ?? 1)),
        '×',
        2,
      )
    }
    print(`${driver} driver: purge`, purges)
  })
}

async function twentyAtOnce(driver: DriverName): Promise<void> {
  await withLonghouse(driver, async longhouse => {
    const names = Array.from({ length: atOnce }, (_, index) => `many-${index}`)
    const all = await timed(() => Promise.all(names.map(name => provision(longhouse, name))))
    console.log(`${driver} driver: ${atOnce} at once answer after ${(all / 1000).toFixed(1)} s`)
  })
}

/** Starts a bare server in a container; returns how to measure that, and how to clean up. */
function bareContainers(image: string) {
  // A network of its own: an engine need not have a default one.
  const docker = (...args: string[]) =>
    execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  const network = docker('network', 'create', `longhouse-bench-${process.pid}`)
  const server = "require('http').createServer((q,r)=>r.end('ok')).listen(8080)"
  return {
    run: async () => {
      let id = ''
      const took = await timed(async () => {
        id = docker('run', '-d', '--network', network, '-p', '127.0.0.1::8080', image, 'node', '-e', server)
        const port = Number(docker('port', id, '8080').split(':').pop())
        await eventually('it answers', async () => (await ask({ port, host: 'localhost' })).status === 200)
      })
      docker('rm', '-f', id)
      return took
    },
    remove: () => docker('network', 'rm', network),
  }
}

await inTurns('process', null)
if (testImage) {
  const bare = bareContainers(testImage)
  try {
    await inTurns('docker', bare.run)
  } finally {
    bare.remove()
  }
  await twentyAtOnce('docker')
} else console.log('docker driver: left out, LONGHOUSE_TEST_IMAGE names no runtime image')
