import { z } from 'zod'
import { type Clock, systemClock } from '../../../../src/clock.ts'
import { limit } from '../../../../src/concurrency.ts'
import { type Driver, DriverError, type InstanceSpec } from '../../driver.ts'
import {
  type ContainerSettings,
  containerName,
  containerOptions,
  containerRecipe,
  label,
  successorName,
} from './container.ts'
import {
  containerNamed,
  containersOf,
  containersOn,
  type FoundContainer,
  isActive,
  isSuccessor,
  ownContainers,
  refuseInUse,
} from './discovery.ts'
import { lookWithinMs, openEngine, ping } from './engine.ts'
import { imageId, pullImage } from './image.ts'
import {
  createContainer,
  discardContainer,
  observe,
  refuseForeign,
  renameContainer,
  startContainer,
  stopContainer,
} from './instance.ts'
import { demultiplex, lastLines } from './log.ts'
import { ensureNetwork, findNetwork, type InstanceNetwork } from './network.ts'
import { prepareVolume, type VolumeUser } from './volume.ts'

export { dockerAvailable } from './engine.ts'

export interface DockerOptions extends Omit<ContainerSettings, 'user' | 'trustedProxies'> {
  socketPath: string
  /** Who instances run as; without it, `instanceUser()`. */
  user?: VolumeUser
  /** Proxies that reach instances by themselves, beside the host. */
  trustedProxies?: readonly string[]
  clock?: Clock
}

/** Each walks through all containers of the engine. */
const looksAtOnce = 16

/** Enough for the runtime, its compiler and a few jobs at a time. */
export const defaultLimits = { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 256 } as const

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
    trustedProxies: options.trustedProxies ?? [],
  }
  // A control plane that starts looks at a thousand instances in the same moment. The deadline of a look begins with its turn.
  const looking = limit(looksAtOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))
  const pulls = new Map<string, Promise<void>>()
  let info: EngineInfo | null = null
  let warning: string | null = null

  /** Instances that are provisioned at the same time wait for one pull. */
  const pulled = async (image: string): Promise<void> => {
    const pull = pulls.get(image) ?? pullImage(engine, image).finally(() => pulls.delete(image))
    pulls.set(image, pull)
    await pull
  }

  const ensureImage = async ({ image, imageId: pinned }: InstanceSpec): Promise<string> => {
    const present = await imageId(engine, pinned ?? image)
    if (present) return present
    if (pinned !== null && !image.includes('/')) throw lost(image, pinned)
    await pulled(image)
    const now = await imageId(engine, pinned ?? image)
    if (now) return now
    if (pinned !== null) throw lost(image, pinned)
    throw new DriverError(`the image ${image} was pulled and is not there`, { permanent: false })
  }

  /** The container that a spec asks for, as it stands now: what there is on the volume, and which of that is as wanted. */
  const survey = async (spec: InstanceSpec) => {
    const [image, network] = await Promise.all([ensureImage(spec), ensureNetwork(engine, settings.network)])
    // The host alone is believed about who asks: from any other address of the network it may be a job that says so.
    const trustedProxies = [...network.gateways, ...settings.trustedProxies]
    const wanted = containerOptions(spec, { ...settings, trustedProxies }, image)
    if (settings.mode === 'port' && !network.isolating) throw mixing(settings.network)
    refuseForeign(await containerNamed(engine, spec), spec)
    const there = await containersOn(engine, spec)
    const good = there.find(each => isAsWanted(each, wanted.Labels, settings.network, network))
    return { wanted, there, good }
  }

  /** Each turn takes one step; more than a few mean that others interfere. */
  const inTurns = async (spec: InstanceSpec, turn: () => Promise<boolean>): Promise<void> => {
    for (let turns = 0; turns < 8; turns++) if (await turn()) return
    throw new DriverError(
      `another program is changing the container ${containerName(spec)} at the same time`,
      {
        permanent: false,
        transient: true,
      },
    )
  }

  /** Makes a container beside those that are there, under a name of its own. */
  const createSuccessor = async (
    spec: InstanceSpec,
    wanted: ReturnType<typeof containerOptions>,
    there: readonly FoundContainer[],
  ): Promise<void> => {
    const stale = there.find(each => isSuccessor(each, spec))
    if (stale) await discardContainer(engine, clock, stale)
    await createContainer(engine, successorName(spec), wanted)
  }

  return {
    name: 'docker',
    get warning() {
      return warning
    },

    outlivesControlPlane: true,
    usesImages: true,
    settings: inEffect(settings),

    async ping() {
      await ping(engine)
      if (info) return
      const told = await engineInfo(engine)
      warning = shortcomings(told, settings, await findNetwork(engine, settings.network))
      info = told
    },

    async capacity() {
      const told = info ?? (await engineInfo(engine))
      return { cpus: told.NCPU ?? null, memoryBytes: told.MemTotal ?? null }
    },

    prepareVolume: spec => prepareVolume(spec.volume, settings.user),

    prepareImage: ensureImage,

    prepareSuccessor: spec =>
      inTurns(spec, async () => {
        const { wanted, there, good } = await survey(spec)
        if (there.length === 0 || good) return true
        await createSuccessor(spec, wanted, there)
        return false
      }),

    create: spec =>
      inTurns(spec, async () => {
        const { wanted, there, good } = await survey(spec)
        if (!good) {
          if (there.length > 0) await createSuccessor(spec, wanted, there)
          else return await createContainer(engine, containerName(spec), wanted)
          return false
        }
        // Two processes never run on one volume: what is not to stay goes before what stays is started.
        for (const other of there) if (other !== good) await discardContainer(engine, clock, other)
        return good.name === containerName(spec) || (await renameContainer(engine, good, containerName(spec)))
      }),

    async start(ref) {
      const [container, other] = await ownContainers(engine, ref)
      if (!container)
        throw new DriverError(`there is no container ${containerName(ref)} to start`, { permanent: false })
      if (other && isActive(other))
        throw new DriverError(
          `${container.name} and ${other.name} both run on the volume of ${ref.subdomain}; restart it, and one of them goes`,
          { permanent: false },
        )
      await startContainer(engine, container)
    },

    async stop(ref, graceMs) {
      const running = (await ownContainers(engine, ref)).filter(isActive)
      await Promise.all(running.map(each => stopContainer(engine, each, graceMs)))
      if (running.length === 0) return
      const still = (await ownContainers(engine, ref)).find(isActive)
      if (still)
        throw new DriverError(`the engine says that it stopped ${still.name}, which is ${still.state}`, {
          permanent: false,
          transient: true,
        })
    },

    async remove(ref) {
      for (const each of await ownContainers(engine, ref)) await discardContainer(engine, clock, each)
      const left = (await ownContainers(engine, ref))[0]
      if (left)
        throw new DriverError(`the engine says that it removed ${left.name}, which is ${left.state}`, {
          permanent: false,
          transient: true,
        })
    },

    inspect: async ref => observe(await looking(() => ownContainers(engine, ref)), settings),

    refuseInUse: spec => refuseInUse(engine, spec.volume),

    existing: async dataRoot =>
      (await containersOf(engine, dataRoot)).map(each => ({
        instanceId: each.labels[label.instance] ?? '',
        container: each.name,
        active: isActive(each),
      })),

    async logTail(ref, lines) {
      const [container] = await ownContainers(engine, ref)
      if (!container) return []
      const log = await engine.bytes(`read the log of ${container.name}`, {
        method: 'GET',
        path: `/containers/${container.id}/logs`,
        query: { stdout: true, stderr: true, tail: lines },
      })
      return lastLines(demultiplex(log), lines)
    },

    async close() {
      engine.close()
    },
  }
}

const infoSchema = z.object({
  MemoryLimit: z.boolean().optional(),
  PidsLimit: z.boolean().optional(),
  CpuCfsQuota: z.boolean().optional(),
  NCPU: z.number().positive().optional(),
  MemTotal: z.number().positive().optional(),
})
type EngineInfo = z.output<typeof infoSchema>

function engineInfo(engine: ReturnType<typeof openEngine>): Promise<EngineInfo> {
  return engine.read('ask Docker what it can do', { method: 'GET', path: '/info' }, infoSchema, {
    timeoutMs: 2 * lookWithinMs,
  })
}

/** An instance never moves to another image by itself, so without its own there is nothing to make it from. */
function lost(image: string, pinned: string): DriverError {
  return new DriverError(
    `the image that it was made from, ${image} (${pinned.slice(0, 19)}), is no longer on this Docker engine; load it there again, or upgrade the instance to one that is`,
    { permanent: true },
  )
}

/** What of the settings goes into each container. */
function inEffect(settings: ContainerSettings) {
  const { mode, network, domain, limits, user, trustedProxies } = settings
  return { mode, network, domain, limits, user, trustedProxies, recipe: containerRecipe(settings) }
}

/** The same spec, in a state that can be started, on the network that has its name now. */
function isAsWanted(
  { labels, state, networks }: FoundContainer,
  wanted: Record<string, string>,
  networkName: string,
  network: InstanceNetwork,
): boolean {
  const attached = networks[networkName]?.NetworkID
  return (
    labels[label.spec] === wanted[label.spec] &&
    labels[label.instance] === wanted[label.instance] &&
    state !== 'dead' &&
    state !== 'removing' &&
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
  info: EngineInfo,
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
