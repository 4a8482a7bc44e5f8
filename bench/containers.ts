/**
 * Many instances in containers under one control plane: what the control plane and each idle instance hold of the host's
 * memory, how long one round of health checks takes, and how long after a restart of the control plane every instance
 * was looked at again.
 *   LONGHOUSE_TEST_IMAGE=<image> node --import tsx bench/containers.ts [number of instances] [seconds idle]
 * Needs an engine (DOCKER_HOST) and root, for the cgroups.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { type InstanceJson, type Longhouse, startLonghouse } from '../e2e/longhouse.fixture.ts'
import { eventually } from '../src/testing/eventually.ts'
import { cgroupOf } from './cgroup.fixture.ts'
import { pause } from './instance.fixture.ts'

const howMany = Number(process.argv[2] ?? 100)
const idleSeconds = Number(process.argv[3] ?? 75)
const image = process.env.LONGHOUSE_TEST_IMAGE
if (!image) {
  console.log('left out: LONGHOUSE_TEST_IMAGE names no runtime image')
  process.exit(0)
}

const targets = { controlPlaneMib: 180, instanceMib: 45, sweepMs: 2000, reconcileMs: 2000 }
const atOnce = 4
const docker = new Docker()
const dataRoot = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
const releases: (() => unknown)[] = []
const start = () =>
  startLonghouse({ after: (release: () => unknown) => releases.push(release) } as never, {
    driver: 'docker',
    dataRoot,
    env: { HEALTH_INTERVAL: '10s', LOG_LEVEL: 'silent' },
  })
const names = Array.from({ length: howMany }, (_, index) => `bench-${index}`)
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

async function instances(longhouse: Longhouse): Promise<InstanceJson[]> {
  const { instances: all } = (await longhouse.admin('/admin/instances?limit=1000')).json<{
    instances: InstanceJson[]
  }>()
  return all
}

async function provisionAll(longhouse: Longhouse): Promise<void> {
  const left = [...names]
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) await longhouse.provision(name)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Waits until every instance was found healthy after this time; the times at which each was. */
function lookedAtSince(longhouse: Longhouse, since: number): Promise<number[]> {
  return eventually(
    'every instance is looked at',
    async () => {
      const all = await instances(longhouse)
      const times = all.map(({ last_health_at }) => Date.parse(last_health_at ?? '') || 0)
      return times.length === howMany && times.every(time => time > since) && times
    },
    { withinMs: 120_000 },
  )
}

/** What the processes of the program have for themselves. */
function ownMib({ process: { pid } }: Longhouse): string {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024
  return `${mib(field('VmRSS'))} MiB resident, ${mib(field('RssAnon'))} of it its own`
}

async function removeAll(): Promise<void> {
  const all = await docker.listContainers({ all: true, filters: { name: ['longhouse-bench-'] } })
  const ours = all.filter(({ Mounts }) => Mounts.some(({ Source }) => Source.startsWith(dataRoot)))
  for (const { Id } of ours) await docker.getContainer(Id).remove({ force: true })
}

try {
  let longhouse = await start()
  const begun = performance.now()
  await provisionAll(longhouse)
  console.log(`${howMany} instances provisioned in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  await pause(idleSeconds * 1000)

  const memories = await Promise.all(
    names.map(async name => {
      const { State } = await docker.getContainer(`longhouse-${name}`).inspect()
      const { own, kernel } = cgroupOf(State.Pid).memory()
      return own + kernel
    }),
  )
  memories.sort((a, b) => a - b)
  const at = (share: number) => mib(memories[Math.min(howMany - 1, Math.floor(share * howMany))] ?? 0)
  console.log(
    `an idle instance: median ${at(0.5)} MiB, most ${at(1)} MiB without pages of files (target: ${targets.instanceMib})`,
  )
  console.log(`the control plane: ${ownMib(longhouse)} (target: ${targets.controlPlaneMib})`)

  const times = await lookedAtSince(longhouse, Date.now())
  console.log(
    `a round of health checks: ${Math.max(...times) - Math.min(...times)} ms from the first to the last instance (target: ${targets.sweepMs})`,
  )

  await longhouse.end('SIGTERM')
  const restartedAt = Date.now()
  longhouse = await start()
  const listening = Date.now() - restartedAt
  const after = await lookedAtSince(longhouse, restartedAt)
  console.log(
    `restart: listening after ${listening} ms, every instance looked at after ${Math.max(...after) - restartedAt} ms (target: ${targets.reconcileMs} after it listens)`,
  )
} finally {
  for (const release of releases) await release()
  await removeAll()
  rmSync(dataRoot, { recursive: true, force: true })
}
