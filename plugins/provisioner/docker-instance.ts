import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode'
import type { Clock } from '../../src/clock.ts'
import { type ContainerSettings, containerName, instancePort, label } from './docker-container.ts'
import { type Engine, orNull } from './docker-engine.ts'
import { DriverError, type InstanceRef, type InstanceSpec, type Observed } from './driver.ts'

/** How long a container that is removed for good gets to end by itself. */
/** What the engine gives a container that names no time of its own. */
const standardStopSeconds = 10
const removedWithinMs = 30_000

/** Whatever container has the instance's name; null only when the engine says that there is none. */
export async function findContainer(
  engine: Engine,
  ref: Pick<InstanceRef, 'subdomain'>,
): Promise<ContainerInspectInfo | null> {
  const name = containerName(ref)
  const found = await orNull(
    engine.ask(
      `look at ${name}`,
      (docker, abortSignal) => docker.getContainer(name).inspect({ abortSignal }),
      { expected: [404] },
    ),
  )
  // The engine takes a name for the beginning of an id as well.
  return found && found.Name === `/${name}` ? found : null
}

/** The instance's own container: another's of the same name is as good as none. */
export async function ownContainer(engine: Engine, ref: InstanceRef): Promise<ContainerInspectInfo | null> {
  const container = await findContainer(engine, ref)
  return container?.Config.Labels?.[label.instance] === ref.id ? container : null
}

/**
 * Throws unless the container may be replaced by this instance's: it is its own, or one of Longhouse's on the same
 * volume (whose record is gone). Anything else belongs to somebody else, another control plane perhaps.
 */
export function refuseForeign(container: ContainerInspectInfo, spec: InstanceSpec): void {
  const instance = container.Config.Labels?.[label.instance]
  const volume = container.HostConfig.Mounts?.find(mount => mount.Target === '/data')?.Source
  if (instance === spec.id || (instance !== undefined && volume === spec.volume)) return
  const whose =
    instance === undefined ? 'was not made by Longhouse' : 'belongs to another Longhouse on this engine'
  throw new DriverError(
    `a container called ${containerName(spec)} ${whose} and is left alone; rename or remove it, or choose another subdomain`,
    { permanent: true },
  )
}

/** False when the name was taken in the meantime. */
export async function createContainer(
  engine: Engine,
  options: ContainerCreateOptions & { name: string },
): Promise<boolean> {
  const created = engine.ask(
    `create ${options.name}`,
    (docker, abortSignal) => docker.createContainer({ ...options, abortSignal }),
    { expected: [409] },
  )
  return (await orNull(created)) !== null
}

/** Already running is as good. */
export async function startContainer(engine: Engine, container: ContainerInspectInfo): Promise<void> {
  await orNull(
    engine.ask(
      `start ${nameOf(container)}`,
      (docker, abortSignal) => docker.getContainer(container.Id).start({ abortSignal }),
      { expected: [304] },
    ),
  )
}

/** Already stopped, and already gone, is as good. */
export async function stopContainer(
  engine: Engine,
  container: ContainerInspectInfo,
  graceMs: number,
): Promise<void> {
  await orNull(
    engine.ask(
      `stop ${nameOf(container)}`,
      (docker, abortSignal) =>
        docker.getContainer(container.Id).stop({ t: Math.ceil(graceMs / 1000), abortSignal }),
      { timeoutMs: graceMs + 60_000, expected: [304, 404] },
    ),
  )
}

/** Stops and removes a container, and returns when its name is free. */
export async function discardContainer(
  engine: Engine,
  clock: Clock,
  container: ContainerInspectInfo,
): Promise<void> {
  const { StopTimeout = standardStopSeconds } = container.Config as { StopTimeout?: number }
  await stopContainer(engine, container, StopTimeout * 1000)
  await orNull(
    engine.ask(
      `remove ${nameOf(container)}`,
      (docker, abortSignal) => docker.getContainer(container.Id).remove({ force: true, abortSignal }),
      { expected: [404, 409] }, // 409: its removal is going on already.
    ),
  )
  const deadline = clock.monotonic() + removedWithinMs
  while (await exists(engine, container.Id)) {
    if (clock.monotonic() > deadline)
      throw new DriverError(
        `the engine is still removing ${nameOf(container)} after ${removedWithinMs / 1000} s`,
        { permanent: false },
      )
    await clock.sleep(100)
  }
}

/** Where the control plane reaches it; an engine that restarts a container gives it a new port. */
export function observe(container: ContainerInspectInfo, settings: ContainerSettings): Observed {
  const { Running: running, Restarting: restarting } = container.State
  if (!running) return { state: 'stopped', address: null }
  return { state: 'running', address: restarting ? null : addressOf(container, settings) }
}

function addressOf(container: ContainerInspectInfo, settings: ContainerSettings): Observed['address'] {
  const { Ports, Networks } = container.NetworkSettings
  if (settings.mode === 'labels') {
    const host = Networks[settings.network]?.IPAddress
    return host ? { host, port: instancePort } : null
  }
  const published = Ports[`${instancePort}/tcp`]?.find(binding => binding.HostIp === '127.0.0.1')
  return published ? { host: published.HostIp, port: Number(published.HostPort) } : null
}

async function exists(engine: Engine, id: string): Promise<boolean> {
  const found = engine.ask(
    'look at a container that is being removed',
    (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }),
    { expected: [404] },
  )
  return (await orNull(found)) !== null
}

function nameOf(container: ContainerInspectInfo): string {
  return container.Name.slice(1)
}
