/**
 * Measures upgrades of one instance in a container while a client asks it all the time: how long it got no answer, and that no
 * request failed. In turns with it, a bare Node HTTP server is replaced by another container (`docker rm -f`, `docker run`), asked
 * by the same client without anything that holds requests. Prints minima and medians, and where the time goes. Needs an engine
 * (DOCKER_HOST) and LONGHOUSE_TEST_IMAGE.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLonghouse, testImage } from '../e2e/longhouse.fixture.ts'
import { randomText } from '../src/ids.ts'
import { ask } from '../src/testing/ask.ts'
import { eventually } from '../src/testing/eventually.ts'

const rounds = Number(process.argv[2] ?? 9)

interface OperationJson {
  image_id: string
  operation: {
    status: string
    error: string | null
    steps: { name: string; started_at: string; finished_at: string }[]
  }
}

const docker = (...args: string[]) =>
  execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()

function print(name: string, times: readonly number[], unit = 'ms'): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)
  console.log(
    `${name.padEnd(52)} min ${at(0)} ${unit}   median ${at(0.5)} ${unit}   max ${at(1)} ${unit}   (${times.length} runs)`,
  )
}

/** Asks again and again while `work` goes on. Returns the longest time without an answer, and what was no answer. */
async function askedDuring(visit: () => Promise<number>, work: () => Promise<unknown>) {
  let over = false
  let longestMs = 0
  const failed: string[] = []
  const asking = (async () => {
    let last = performance.now()
    while (!over) {
      const status = await visit().catch((error: Error) => error.message)
      if (status !== 200) {
        failed.push(String(status))
        continue
      }
      longestMs = Math.max(longestMs, performance.now() - last)
      last = performance.now()
    }
  })()
  await work()
  over = true
  await asking
  return { longestMs, failed }
}

async function bench(image: string): Promise<void> {
  const releases: (() => unknown)[] = []
  const dataRoot = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
  const name = `longhouse-bench-${randomText(8)}`
  // Two images with ids of their own and the same content.
  const images = ['a', 'b'].map(tag => `${name}:${tag}`)
  const server = "require('http').createServer((q,r)=>r.end('ok')).listen(8080)"
  docker('network', 'create', name)
  try {
    for (const tag of images) {
      const id = docker('create', '--label', `bench=${tag}`, image)
      docker('commit', id, tag)
      docker('rm', id)
    }
    const env = { ROUTER_HOLD_TIMEOUT: '60s' }
    const longhouse = await startLonghouse(
      { after: (release: () => unknown) => releases.push(release) } as never,
      { driver: 'docker', dataRoot, env },
    )
    const { password } = await longhouse.provision('acme')
    const api = await longhouse.login('acme', password)
    await api('/api/jobs/repo/init', { method: 'POST' })
    docker(
      'run',
      '-d',
      '--name',
      name,
      '--network',
      name,
      '-p',
      '127.0.0.1::8080',
      image,
      'node',
      '-e',
      server,
    )
    const port = Number(docker('port', name, '8080').split(':').pop())
    const times: number[] = []
    const bareTimes: number[] = []
    const failed: string[] = []
    const steps = new Map<string, number[]>()
    for (let round = 0; round <= rounds; round++) {
      const upgraded = await askedDuring(
        async () => (await longhouse.instance('acme', '/api/health')).status,
        async () => {
          const reply = await longhouse.admin('/admin/instances/acme/upgrade', {
            body: { image: images[round % 2] },
            wait: 100,
          })
          const { operation } = reply.json<OperationJson>()
          if (operation?.status !== 'succeeded') throw new Error(reply.text)
          if (round === 0) return
          for (const { name, started_at, finished_at } of operation.steps)
            steps.set(name, [...(steps.get(name) ?? []), Date.parse(finished_at) - Date.parse(started_at)])
        },
      )
      const replaced = await askedDuring(
        async () => (await ask({ port, host: 'localhost' })).status,
        async () => {
          await new Promise<void>((resolve, reject) => {
            const script = `docker rm -f ${name} && docker run -d --name ${name} --network ${name} -p 127.0.0.1:${port}:8080 ${image} node -e "${server}"`
            execFile('sh', ['-c', script], error => (error ? reject(error) : resolve()))
          })
          await eventually(
            'it answers',
            async () => (await ask({ port, host: 'localhost' })).status === 200,
            { pauseMs: 2 },
          )
        },
      )
      // The first round warms the engine's and the disk's caches.
      if (round === 0) continue
      times.push(upgraded.longestMs)
      failed.push(...upgraded.failed)
      bareTimes.push(replaced.longestMs)
    }
    print('upgrade: longest time without an answer', times)
    print('bare server replaced: longest time without an answer', bareTimes)
    console.log(`upgrade: requests that failed: ${failed.length} ${[...new Set(failed)].join(', ')}`)
    for (const [step, each] of steps) print(`  step “${step}”`, each)
  } finally {
    for (const release of releases) await release()
    for (const args of [
      ['rm', '-f', name],
      ['network', 'rm', name],
      ['rmi', '-f', ...images],
    ])
      try {
        docker(...args)
      } catch {}
    rmSync(dataRoot, { recursive: true, force: true })
  }
}

if (testImage) await bench(testImage)
else console.log('left out: LONGHOUSE_TEST_IMAGE names no runtime image')
