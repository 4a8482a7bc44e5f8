import type { ContainerInspectInfo } from 'dockerode'
import { type Clock, systemClock } from '../../src/clock.ts'
import { type ContainerSettings, containerName, containerOptions, label } from './docker-container.ts'
import { openEngine } from './docker-engine.ts'
import { imageId, pullImage } from './docker-image.ts'
import {
  createContainer,
  discardContainer,
  findContainer,
  observe,
  ownContainer,
  refuseForeign,
  startContainer,
  stopContainer,
} from './docker-instance.ts'
import { demultiplex, lastLines } from './docker-log.ts'
import { ensureNetwork, findNetwork, type InstanceNetwork } from './docker-network.ts'
import { prepareVolume, type VolumeUser } from './docker-volume.ts'
import { type Driver, DriverError } from './driver.ts'

export { dockerAvailable } from './docker-engine.ts'

export interface DockerOptions extends Omit<ContainerSettings, 'user' | 'trustedProxies'> {
  socketPath: string
  /** Who instances run as; without it, `instanceUser()`. */
  user?: VolumeUser
  /** Without it, `privateRanges`. */
  trustedProxies?: readonly string[]
  clock?: Clock
}

/** Enough for the runtime, its compiler and a few jobs at a time. */
export const defaultLimits = { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 256 } as const

/** An instance is reached by the host only, which comes from its own address on the instances' network. */
export const privateRanges = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] as const

/**
 * Root gives instances a user that is nobody else on the host. Anyone else cannot give files away, and lets instances
 * run as itself.
 */
export function instanceUser(): VolumeUser {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? { uid: 10001, gid: 10001 } : { uid, gid: process.getgid?.() ?? uid }
}

/** One isolated container an instance, on the Docker engine behind a local socket. */
export function createDockerDriver(options: DockerOptions): Driver {
  const engine = openEngine(options.socketPath)
  const clock = options.clock ?? systemClock
  const settings: ContainerSettings = {
    ...options,
    user: options.user ?? instanceUser(),
    trustedProxies: options.trustedProxies ?? privateRanges,
  }
  const pulls = new Map<string, Promise<void>>()
  let warning: string | null = null
  let asked = false

  /** Instances that are provisioned at the same time wait for one pull. */
  const ensureImage = async (image: string): Promise<string> => {
    const present = await imageId(engine, image)
    if (present) return present
    const pull = pulls.get(image) ?? pullImage(engine, image).finally(() => pulls.delete(image))
    pulls.set(image, pull)
    await pull
    const pulled = await imageId(engine, image)
    if (!pulled) throw new DriverError(`the image ${image} was pulled and is not there`, { permanent: false })
    return pulled
  }

  return {
    name: 'docker',
    get warning() {
      return warning
    },

    outlivesControlPlane: true,
    usesImages: true,

    async ping() {
      await engine.ask('reach Docker', docker => docker.ping())
      if (asked) return
      const info = await engine.ask('ask Docker what it can do', docker => docker.info())
      warning = shortcomings(info, settings, await findNetwork(engine, settings.network))
      asked = true
    },

    prepareVolume: spec => prepareVolume(spec.volume, settings.user),

    async prepareImage(spec) {
      await ensureImage(spec.image)
    },

    async create(spec) {
      const [image, network] = await Promise.all([
        ensureImage(spec.image),
        ensureNetwork(engine, settings.network),
      ])
      const wanted = containerOptions(spec, settings, image)
      if (settings.mode === 'port' && !network.isolating) throw mixing(settings.network)
      // A turn creates it, or removes what stands in its way; more than a few mean that others interfere.
      for (let turn = 0; turn < 5; turn++) {
        const existing = await findContainer(engine, spec)
        if (!existing) {
          if (await createContainer(engine, wanted)) return
          continue
        }
        refuseForeign(existing, spec)
        if (isAsWanted(existing, wanted.Labels, settings.network, network)) return
        await discardContainer(engine, clock, existing)
      }
      throw new DriverError(`somebody else is changing the container ${wanted.name} at the same time`, {
        permanent: false,
        transient: true,
      })
    },

    async start(ref) {
      const container = await ownContainer(engine, ref)
      if (!container)
        throw new DriverError(`there is no container ${containerName(ref)} to start`, { permanent: false })
      await startContainer(engine, container)
    },

    async stop(ref, graceMs) {
      const container = await ownContainer(engine, ref)
      if (container) await stopContainer(engine, container, graceMs)
    },

    async remove(ref) {
      const container = await ownContainer(engine, ref)
      if (container) await discardContainer(engine, clock, container)
    },

    async inspect(ref) {
      const container = await ownContainer(engine, ref)
      return container ? observe(container, settings) : { state: 'absent', address: null }
    },

    async logTail(ref, lines) {
      const container = await ownContainer(engine, ref)
      if (!container) return []
      const log = await engine.ask(`read the log of ${containerName(ref)}`, (docker, abortSignal) =>
        docker.getContainer(container.Id).logs({ stdout: true, stderr: true, tail: lines, abortSignal }),
      )
      return lastLines(demultiplex(log), lines)
    },

    async close() {
      engine.close()
    },
  }
}

/** The same spec, in a state that can be started, on the network that has its name now. */
function isAsWanted(
  container: ContainerInspectInfo,
  labels: Record<string, string>,
  networkName: string,
  network: InstanceNetwork,
): boolean {
  const attached = container.NetworkSettings.Networks[networkName]?.NetworkID
  return (
    container.Config.Labels[label.spec] === labels[label.spec] &&
    !container.State.Dead &&
    container.State.Status !== 'removing' &&
    (!attached || attached === network.id)
  )
}

function mixing(network: string): DriverError {
  return new DriverError(
    `the network ${network} lets its containers reach each other, so instances cannot share it; remove it, and Longhouse makes one that does not, or name another`,
    { permanent: true },
  )
}

/** What this engine does less than a customer may expect; null when it does everything. */
function shortcomings(
  info: { MemoryLimit?: boolean; PidsLimit?: boolean; CpuCfsQuota?: boolean },
  settings: ContainerSettings,
  network: InstanceNetwork | null,
): string | null {
  const unlimited = [
    info.MemoryLimit === false && 'memory',
    info.PidsLimit === false && 'processes',
    info.CpuCfsQuota === false && 'CPU time',
  ].filter(name => name !== false)
  const warnings = [
    unlimited.length > 0 && `This Docker engine cannot limit ${unlimited.join(', ')} of an instance.`,
    settings.mode === 'labels' &&
      network?.isolating === false &&
      `Instances share the network ${settings.network}, on which containers reach each other.`,
  ].filter(text => text !== false)
  return warnings.length > 0 ? warnings.join(' ') : null
}
