/**
 * One instance in a container with one core, made as the control plane makes it: from the start of its container to the
 * first 200 of `/api/health`, by the clock and in processor time, on an empty volume and on one with 100 jobs; and what
 * an idle one with 100 jobs has of the host's memory. Beside it, in turns, an image of before and a bare HTTP server on
 * Node in the same container, which is what a start costs that is none of ours.
 *   LONGHOUSE_TEST_IMAGE=<image> node --import tsx bench/container.ts [rounds] [seconds idle] [image of before]
 * Needs an engine (DOCKER_HOST) and root, for the cgroups.
 */
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import type { InstanceSpec } from '../plugins/provisioner/driver.ts'
import { containerOptions, instancePort } from '../plugins/provisioner/drivers/docker/container.ts'
import { defaultLimits } from '../plugins/provisioner/drivers/docker/docker.ts'
import { ask } from '../src/testing/ask.ts'
import { type Cgroup, cgroupOf } from './cgroup.fixture.ts'
import { pause, print } from './instance.fixture.ts'

const rounds = Number(process.argv[2] ?? 9)
const idleSeconds = Number(process.argv[3] ?? 75)
const image = process.env.LONGHOUSE_TEST_IMAGE
const before = process.argv[4]
if (!image) {
  console.log('left out: LONGHOUSE_TEST_IMAGE names no runtime image')
  process.exit(0)
}

const targets = { readyMs: 280, idleMib: 45 }
const user = { uid: 10001, gid: 10001 }
const docker = new Docker()
const folder = mkdtempSync(join(tmpdir(), 'longhouse-bench-'))
const network = await docker.createNetwork({ Name: `longhouse-bench-${process.pid}` })

interface Started {
  cgroup: Cgroup
  /** From the request to start the container. */
  readyMs: number
  processorMs: number
  remove(): Promise<void>
}

/** Starts a container as the driver makes it, on this volume, and waits until it answers with 200. */
async function start(imageName: string, volume: string, command?: string[]): Promise<Started> {
  const spec: InstanceSpec = {
    id: 'inst_bench',
    subdomain: 'bench',
    ownerEmail: 'bench@example.com',
    image: imageName,
    imageId: null,
    volume,
    // Of "a password": what the control plane hands on is hashed already.
    passwordHash:
      '$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$Q7xq8hC5iT1lqY0oYp1b0jWm0vXo8n4m1m0oV2s1W2E',
    publicUrl: 'http://bench.localhost:8080',
    timezone: 'UTC',
    stopGraceMs: 10_000,
    limits: { memoryBytes: defaultLimits.memoryBytes, cpus: 1 },
    environment: {},
  }
  const options = containerOptions(
    spec,
    {
      mode: 'port',
      network: network.id,
      domain: 'localhost',
      limits: defaultLimits,
      user,
      trustedProxies: [],
    },
    imageName,
  )
  const container = await docker.createContainer({ ...options, ...(command && { Cmd: command }) })
  const remove = () => container.remove({ force: true })
  try {
    const startedAt = performance.now()
    await container.start()
    const { State, NetworkSettings } = await container.inspect()
    const port = Number(NetworkSettings.Ports[`${instancePort}/tcp`]?.[0]?.HostPort)
    const cgroup = cgroupOf(State.Pid)
    while ((await statusOf(port)) !== 200) {
      if (performance.now() - startedAt > 60_000) throw new Error(`${imageName} does not get ready`)
      await pause(2)
    }
    return { cgroup, readyMs: performance.now() - startedAt, processorMs: cgroup.processorMs(), remove }
  } catch (error) {
    console.error(String(await container.logs({ stdout: true, stderr: true, tail: 20 })))
    await remove()
    throw error
  }
}

function statusOf(port: number): Promise<number> {
  return ask({ port, host: 'bench.localhost', path: '/api/health' }).then(
    ({ status }) => status,
    () => 0,
  )
}

function emptyVolume(name: string): string {
  const dir = join(folder, name)
  mkdirSync(dir)
  chownSync(dir, user.uid, user.gid)
  return dir
}

/** A volume whose repo has 100 jobs, each in its own file and due once a day, none of them in the next half hour. */
function hundredJobs(name: string): string {
  const dir = emptyVolume(name)
  const repo = join(dir, 'jobs')
  mkdirSync(join(repo, 'jobs'), { recursive: true })
  const from = new Date().getUTCHours() * 60 + new Date().getUTCMinutes() + 30
  const dueAt = (index: number) => {
    const minute = (from + index * 13) % 1440
    return `${minute % 60} ${Math.floor(minute / 60)} * * *`
  }
  const names = Array.from({ length: 100 }, (_, index) => `job-${String(index).padStart(3, '0')}`)
  for (const each of names) {
    writeFileSync(
      join(repo, 'jobs', `${each}.ts`),
      `export async function run({ log }: { log(text: string): void }) {\n  log('${each}')\n}\n`,
    )
  }
  const lines = names.map((each, index) => [
    `import { run as run${index} } from './jobs/${each}'`,
    `jobRegistry.register({ id: '${each}', cron: '${dueAt(index)}', func: run${index} })`,
  ])
  writeFileSync(
    join(repo, 'manifest.ts'),
    [
      `import { jobRegistry } from 'longhouse/jobs'`,
      ...lines.map(([first]) => first),
      ...lines.map(([, second]) => second),
      '',
    ].join('\n'),
  )
  for (const path of [
    repo,
    join(repo, 'jobs'),
    join(repo, 'manifest.ts'),
    ...names.map(each => join(repo, 'jobs', `${each}.ts`)),
  ])
    chownSync(path, user.uid, user.gid)
  return dir
}

const bare = `require('node:http').createServer((request, response) => response.end()).listen(${instancePort})`
const images = [...(before ? [{ name: 'before', image: before }] : []), { name: 'now', image }]
const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

try {
  const kinds: { name: string; image: string; title: string; volume(): string; command?: string[] }[] = [
    ...images.flatMap(each => [
      { ...each, title: `${each.name}, empty volume`, volume: () => emptyVolume(`empty-${Math.random()}`) },
      { ...each, title: `${each.name}, 100 jobs`, volume: () => join(folder, `used-${each.name}`) },
    ]),
    {
      name: 'bare',
      image,
      title: 'bare HTTP server on Node',
      volume: () => folder,
      command: ['node', '-e', bare],
    },
  ]
  for (const each of images) {
    const volume = hundredJobs(`used-${each.name}`)
    const first = await start(each.image, volume)
    await pause(3000)
    await first.remove()
  }
  const ready = new Map<string, number[]>(kinds.map(({ title }) => [title, []]))
  const processor = new Map<string, number[]>(kinds.map(({ title }) => [title, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { title, image: name, volume, command } of kinds) {
      const started = await start(name, volume(), command)
      await started.remove()
      // The first round warms the engine's and the disk's caches.
      if (round === 0) continue
      ready.get(title)?.push(started.readyMs)
      processor.get(title)?.push(started.processorMs)
    }
  }
  for (const { title } of kinds) print(`${title}: start → ready`, ready.get(title) ?? [])
  for (const { title } of kinds) print(`${title}: processor time until then`, processor.get(title) ?? [])
  console.log(`target: ${targets.readyMs} ms from start to ready`)

  if (idleSeconds > 0) {
    console.log(`\nIdle with 100 jobs, ${idleSeconds} s after the start (target: ${targets.idleMib} MiB):`)
    for (const { name, image } of images) {
      const started = await start(image, join(folder, `used-${name}`))
      const atReady = started.cgroup.memory()
      const before = started.cgroup.processorMs()
      await pause(idleSeconds * 1000)
      const { own, kernel, file } = started.cgroup.memory()
      console.log(
        `${name.padEnd(8)} ${mib(own + kernel)} MiB: ${mib(own)} of processes and ${mib(kernel)} of the kernel's, besides ${mib(file)} of pages of files; when ready ${mib(atReady.own + atReady.kernel)}; ${((started.cgroup.processorMs() - before) / idleSeconds).toFixed(1)} ms of processor time a second`,
      )
      for (const { name, own, threads } of started.cgroup.processes())
        console.log(`         ${mib(own)} MiB, ${threads} threads: ${name}`)
      await started.remove()
    }
  }
} finally {
  await network.remove()
  rmSync(folder, { recursive: true, force: true })
}
