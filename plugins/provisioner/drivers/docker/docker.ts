import { type Clock, systemClock } from '../../../../src/clock.ts'
import { limit } from '../../../../src/concurrency.ts'
import type { Driver, FolderWork } from '../../driver.ts'
import { folderIdleMs } from '../../folder-progress.ts'
import { type EngineInfo, engineInfo, shortcomings } from './capabilities.ts'
import { type ContainerSettings, containerRecipe, label } from './container.ts'
import { containersOf, isActive, ownContainers, refuseInUse } from './discovery.ts'
import { openEngine, ping } from './engine.ts'
import { workInContainer } from './folder-container.ts'
import { imageId, imageSource } from './image.ts'
import { isRuntime, longhouseImages, removeImage } from './images.ts'
import { discardContainer, observe } from './instance.ts'
import { discardLeftover, leftoversOf } from './leftovers.ts'
import { refuseRunning, removeInstance, restartsOf, startInstance, stopInstance } from './lifecycle.ts'
import { containerLog } from './log-lines.ts'
import { addressUse, findNetwork, type InstanceNetwork } from './network.ts'
import { prepareSuccessor, type ReplacementParts, replaceContainer } from './replacement.ts'
import { usageOfContainers } from './usage.ts'
import { prepareVolume, type VolumeUser } from './volume.ts'

export { labelReaders } from './container.ts'
export { dockerAvailable } from './engine.ts'

export interface DockerOptions extends Omit<ContainerSettings, 'user' | 'trustedProxies'> {
  socketPath: string
  /** Who instances run as; without it, `instanceUser()`. */
  user?: VolumeUser
  /** Proxies that reach instances by themselves, beside the host. */
  trustedProxies?: readonly string[]
  /** Addresses and ranges whose word the edge takes for a client's address. */
  trustedByEdge?: readonly string[]
  clock?: Clock
  /** Where the host's control groups may be. */
  cgroups?: readonly string[]
  /** The longest that the engine may take for any answer; without it, each kind of request has a time of its own. */
  answerWithinMs?: number
  /** How long work on a folder may make no progress. */
  folderIdleMs?: number
}

/** On the host, and in a container that the host's control groups are mounted into. */
const hostCgroups = ['/sys/fs/cgroup', '/host/cgroup']

/** Each look makes the engine walk through all its containers. */
const looksAtOnce = 16

/** Enough for the runtime, its compiler and a few jobs at a time. */
export const defaultLimits = { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 256 } as const

/**
 * Who instances run as: when we are root, a user that no one else on the host has; otherwise the user that we are, who cannot
 * give files away.
 */
export function instanceUser(): VolumeUser {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? { uid: 10001, gid: 10001 } : { uid, gid: process.getgid?.() ?? uid }
}

/** One isolated container an instance, on the Docker engine behind a local socket. */
export function createDockerDriver(options: DockerOptions): Driver {
  const engine = openEngine(options.socketPath, options.answerWithinMs)
  const clock = options.clock ?? systemClock
  const settings: ContainerSettings = {
    ...options,
    user: options.user ?? instanceUser(),
    trustedProxies: options.trustedProxies ?? [],
  }
  // A control plane that starts looks at a thousand instances in the same moment. A look's deadline begins when the look does.
  const looking = limit(looksAtOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))
  const ensureImage = imageSource(engine)
  const measuring = usageOfContainers(engine, options.cgroups ?? hostCgroups)
  const replacement: ReplacementParts = { engine, clock, settings, ensureImage }
  const working = new Set<FolderWork>()
  const scopeOf = (dataRoot: string) => ({
    ...{ dataRoot, network: settings.network, now: clock.now() },
    inWork: new Set([...working].map(({ folder }) => folder)),
  })
  let info: EngineInfo | null = null
  let network: InstanceNetwork | null = null
  let warning: string | null = null

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
      // The network is made with the first instance.
      if (info && network) return
      info ??= await engineInfo(engine)
      network = await findNetwork(engine, settings.network)
      warning = shortcomings(info, settings, { network, trusted: options.trustedByEdge ?? [] })
    },

    addresses: () => addressUse(engine, settings.network),

    async capacity() {
      const { NCPU, MemTotal, Runtimes } = info ?? (await engineInfo(engine))
      return {
        cpus: NCPU ?? null,
        memoryBytes: MemTotal ?? null,
        ...(Runtimes && { runtimes: Object.keys(Runtimes).sort() }),
      }
    },

    prepareVolume: spec => prepareVolume(spec.volume, settings.user),

    findImage: image => imageId(engine, image),
    isRuntime: image => isRuntime(engine, image),

    prepareImage: ensureImage,

    prepareSuccessor: spec => prepareSuccessor(replacement, spec),

    create: spec => replaceContainer(replacement, spec),

    start: ref => startInstance(engine, ref),

    stop: (ref, graceMs) => stopInstance(engine, ref, graceMs),

    remove: ref => removeInstance(engine, clock, ref),

    inspect: async ref => observe(await looking(() => ownContainers(engine, ref)), settings),

    measure: (dataRoot, signal) => measuring.measure(dataRoot, signal),

    restarts: ref => restartsOf(engine, ref),

    refuseRunning: ref => refuseRunning(engine, ref),

    refuseInUse: spec => refuseInUse(engine, spec.volume),

    workOnFolder: async work => {
      working.add(work)
      try {
        return await workInContainer(replacement, work, options.folderIdleMs ?? folderIdleMs)
      } finally {
        working.delete(work)
      }
    },

    leftovers: dataRoot => leftoversOf(engine, scopeOf(dataRoot)),
    discardLeftover: (dataRoot, id) => discardLeftover(engine, scopeOf(dataRoot), id),

    existing: async dataRoot =>
      (await containersOf(engine, dataRoot)).map(each => ({
        instanceId: each.labels[label.instance] ?? '',
        container: each.name,
        active: isActive(each),
        id: each.id,
        ...(each.createdAt !== null && { createdAt: each.createdAt }),
      })),

    log: (ref, window, signal) => containerLog(engine, ref, window, signal),

    images: () => longhouseImages(engine),
    removeImage: image => removeImage(engine, image),

    discard: async (dataRoot, id) => {
      const container = (await containersOf(engine, dataRoot)).find(each => each.id === id)
      if (container) await discardContainer(engine, clock, container)
    },

    async close() {
      engine.close()
    },
  }
}

/** The settings that go into each container. */
function inEffect(settings: ContainerSettings) {
  const { mode, network, domain, limits, user, trustedProxies } = settings
  // The labels are part of the recipe.
  return { mode, network, domain, limits, user, trustedProxies, recipe: containerRecipe(settings) }
}
