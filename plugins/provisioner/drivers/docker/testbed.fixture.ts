import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import Docker from 'dockerode'
import { randomText } from '../../../../src/ids.ts'
import type { Driver, InstanceRef, InstanceSpec } from '../../driver.ts'
import { createDockerDriver, type DockerOptions, defaultLimits, dockerAvailable } from './docker.ts'

export const socketPath = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '')
const image = process.env.LONGHOUSE_TEST_IMAGE ?? ''

/** Why tests on a real engine cannot run here; where all tests are demanded they run and fail instead. */
export async function skipReason(): Promise<string | false> {
  if (process.env.LONGHOUSE_DEMAND_ALL === '1') return false
  const how = 'npm run images, then LONGHOUSE_TEST_IMAGE=longhouse-runtime:latest npm test'
  if (image === '') return `needs a Docker engine: ${how}`
  if (!(await dockerAvailable(socketPath)))
    return `no Docker engine answers at ${socketPath}: apt install docker.io, or DOCKER_HOST names another`
  const there = await engine()
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    )
  return there ? false : `the engine has no image ${image}: ${how}`
}

export function engine(): Docker {
  return new Docker({ socketPath, host: '' })
}

/** Stands in for an instance: answers on the port, writes to both streams, ends on request. */
const program = `
  console.log('to stdout')
  console.error('to stderr')
  const server = require('node:http').createServer((request, response) => response.end(process.env.LONGHOUSE_INSTANCE_ID))
  server.listen(8080, '0.0.0.0')
  process.on('SIGTERM', () => process.exit(0))
`

/**
 * A folder for volumes, a network, a driver on the real engine and an image whose containers are instances of a kind;
 * all of it, and every container made from the image, goes when the tests are over.
 */
export async function testbed(settings: Partial<DockerOptions> = {}) {
  const docker = engine()
  const mark = randomText(8)
  const folder = await mkdtemp(join(tmpdir(), 'longhouse-docker-'))
  const network = `longhouse-test-${mark}`
  const standIn = await commitImage(docker, mark)
  const driver = createDockerDriver({
    socketPath,
    network,
    mode: 'port',
    domain: 'example.test',
    limits: defaultLimits,
    ...settings,
  })

  after(async () => {
    const filters = [{ network: [network] }, { ancestor: [standIn.id] }]
    const containers = await Promise.all(filters.map(f => docker.listContainers({ all: true, filters: f })))
    const ids = new Set(containers.flat().map(({ Id }) => Id))
    await Promise.all([...ids].map(id => docker.getContainer(id).remove({ force: true })))
    await docker
      .getNetwork(network)
      .remove()
      .catch(() => {})
    for (const name of [standIn.name, standIn.id]) {
      await docker
        .getImage(name)
        .remove({ force: true })
        .catch(() => {})
    }
    await driver.close()
    await rm(folder, { recursive: true, force: true })
  })

  return {
    docker,
    driver,
    folder,
    network,
    image: standIn.name,
    spec(name: string, change: Partial<InstanceSpec> = {}): InstanceSpec {
      const subdomain = `${name}-${mark}`
      return {
        id: `inst_${name}${mark}`,
        subdomain,
        ownerEmail: 'owner@example.test',
        image: standIn.name,
        imageId: null,
        volume: join(folder, subdomain),
        passwordHash: '$scrypt$ln=1$c2FsdA$aGFzaA',
        publicUrl: `http://${subdomain}.example.test`,
        timezone: 'UTC',
        limits: null,
        stopGraceMs: 10_000,
        environment: {},
        ...change,
      }
    },
    /** Brings an instance up as an operation does, and tells where it answers. */
    async up(spec: InstanceSpec): Promise<string> {
      await driver.prepareVolume(spec)
      await driver.prepareImage(spec)
      await driver.create(spec)
      await driver.start(spec)
      const { address } = await driver.inspect(spec)
      if (!address) throw new Error(`${spec.subdomain} has no address`)
      return `http://${address.host}:${address.port}`
    },
    container: (spec: InstanceSpec) => docker.getContainer(`longhouse-${spec.subdomain}`),
    /** Runs a command in an instance; its output and exit code. */
    async run(spec: InstanceSpec, ...command: string[]) {
      const exec = await docker
        .getContainer(`longhouse-${spec.subdomain}`)
        .exec({ Cmd: command, AttachStdout: true, AttachStderr: true })
      const chunks: Buffer[] = []
      for await (const chunk of await exec.start({ Detach: false })) chunks.push(chunk as Buffer)
      return {
        output: demultiplex(Buffer.concat(chunks)).trim(),
        code: (await exec.inspect()).ExitCode,
      }
    },
  }
}

/** The image under test with another program in it: what is asked here does not depend on what an instance does. */
async function commitImage(docker: Docker, mark: string): Promise<{ name: string; id: string }> {
  const container = await docker.createContainer({
    Image: image,
    Entrypoint: ['node'],
    Cmd: ['-e', program],
    Healthcheck: { Test: ['NONE'] },
  })
  const { Id } = (await container.commit({ repo: 'longhouse-stand-in', tag: mark })) as { Id: string }
  await container.remove()
  return { name: `longhouse-stand-in:${mark}`, id: Id }
}

/** The body of the first answer; polls, since a container answers a moment after it was started. */
export async function answerOf(url: string, withinMs = 60_000): Promise<string> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await (await fetch(url)).text()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

/** The last lines that an instance wrote, oldest first. */
export async function lastLines(driver: Driver, ref: InstanceRef, lines: number): Promise<string[]> {
  const window = { since: null, until: null, tail: lines, follow: false }
  const entries = await Array.fromAsync(driver.log(ref, window, AbortSignal.timeout(10_000)))
  return entries.map(({ text }) => text)
}

const headerBytes = 8

/** The text of what the engine sends in frames: an eight-byte header (stream, three zeros, length) and a payload each. */
function demultiplex(frames: Buffer): string {
  const payloads: Buffer[] = []
  let at = 0
  while (at + headerBytes <= frames.length) {
    const begin = at + headerBytes
    at = begin + frames.readUInt32BE(at + 4)
    payloads.push(frames.subarray(begin, at))
  }
  return Buffer.concat(payloads).toString('utf8')
}
