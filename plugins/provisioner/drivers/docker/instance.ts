import type { ContainerCreateOptions } from 'dockerode'
import { z } from 'zod'
import type { Clock } from '../../../../src/clock.ts'
import { DriverError, type InstanceSpec, type Observed } from '../../driver.ts'
import { type ContainerSettings, containerName, instancePort, label } from './container.ts'
import { type FoundContainer, isActive, noSuchContainer } from './discovery.ts'
import type { Engine } from './engine.ts'

/** What the engine gives a container that names no time of its own. */
const standardStopSeconds = 10
const looksUntilRemoved = 300
const lookAgainMs = 100

/**
 * Throws unless the container may be replaced by this instance's: it is its own, or one of Longhouse's on the same
 * volume (whose record is gone). Anything else belongs to another program, perhaps another control plane.
 */
export function refuseForeign(
  container: Pick<FoundContainer, 'labels' | 'mounts'> | null,
  spec: InstanceSpec,
): void {
  if (!container) return
  const instance = container.labels[label.instance]
  const onVolume = container.mounts.some(({ Source }) => Source === spec.volume)
  if (instance === spec.id || (instance !== undefined && onVolume)) return
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
  name: string,
  options: ContainerCreateOptions,
): Promise<boolean> {
  const created = await engine.find(
    `create ${name}`,
    { method: 'POST', path: '/containers/create', query: { name }, body: options },
    z.object({ Id: z.string().min(1) }),
    { absent: /already in use/i, absentStatus: 409 },
  )
  return created !== null
}

/** False when the name was taken in the meantime. */
export function renameContainer(engine: Engine, container: FoundContainer, name: string): Promise<boolean> {
  return engine.command(
    `rename ${container.name} to ${name}`,
    { method: 'POST', path: `/containers/${container.id}/rename`, query: { name } },
    { already: [409] },
  )
}

/** Starts a container; one that runs already is left running. */
export async function startContainer(engine: Engine, { id, name }: FoundContainer): Promise<void> {
  await engine.command(
    `start ${name}`,
    { method: 'POST', path: `/containers/${id}/start` },
    { already: [304] },
  )
}

/** Stops a container; succeeds too when it is stopped or gone already. */
export async function stopContainer(
  engine: Engine,
  { id, name }: FoundContainer,
  graceMs: number,
): Promise<void> {
  await engine.command(
    `stop ${name}`,
    { method: 'POST', path: `/containers/${id}/stop`, query: { t: Math.ceil(graceMs / 1000) } },
    { timeoutMs: graceMs + 60_000, already: [304], absent: noSuchContainer(id) },
  )
}

/** Stops and removes a container, and returns when the engine says that it is gone. */
export async function discardContainer(
  engine: Engine,
  clock: Pick<Clock, 'sleep'>,
  container: FoundContainer,
): Promise<void> {
  const details = await inspect(engine, container)
  if (!details) return
  if (isActive(container))
    await stopContainer(engine, container, (details.Config.StopTimeout ?? standardStopSeconds) * 1000)
  await engine.command(
    `remove ${container.name}`,
    { method: 'DELETE', path: `/containers/${container.id}`, query: { force: true } },
    { already: [409], absent: noSuchContainer(container.id) }, // 409: its removal is going on already.
  )
  for (let look = 0; await inspect(engine, container); look++) {
    if (look === looksUntilRemoved)
      throw new DriverError(
        `the engine is still removing ${container.name} after ${(looksUntilRemoved * lookAgainMs) / 1000} s`,
        { permanent: false },
      )
    await clock.sleep(lookAgainMs)
  }
}

/** How often the engine restarted a container by itself since it was started. */
export async function restartCount(engine: Engine, container: FoundContainer): Promise<number> {
  return (await inspect(engine, container))?.RestartCount ?? 0
}

/** When a container was started last; null when the engine has no such container any more. */
export async function startedAt(engine: Engine, container: FoundContainer): Promise<number | null> {
  const at = Date.parse((await inspect(engine, container))?.State?.StartedAt ?? '')
  // A container that never ran was started in the year 1.
  return at > 0 ? at : null
}

const detailsSchema = z.object({
  Config: z.object({ StopTimeout: z.number().nullish() }),
  RestartCount: z.number().nullish(),
  State: z.object({ StartedAt: z.string().nullish() }).nullish(),
})

function inspect(
  engine: Engine,
  { id, name }: FoundContainer,
): Promise<z.output<typeof detailsSchema> | null> {
  return engine.find(`look at ${name}`, { method: 'GET', path: `/containers/${id}/json` }, detailsSchema, {
    absent: noSuchContainer(id),
  })
}

/**
 * What the containers of one instance, its own first, amount to. Where it is reached: an engine that restarts a container
 * gives it a new port. Two that run on one volume have no address until only one is left.
 */
export function observe(own: readonly FoundContainer[], settings: ContainerSettings): Observed {
  const [first] = own
  if (!first) return { state: 'absent', address: null, imageId: null }
  const { imageId } = first
  const active = own.filter(isActive)
  if (active.length === 0) return { state: 'stopped', address: null, imageId }
  return { state: 'running', address: active.length === 1 ? addressOf(first, settings) : null, imageId }
}

function addressOf(
  { state, ports, networks }: FoundContainer,
  settings: ContainerSettings,
): Observed['address'] {
  if (state === 'restarting') return null
  if (settings.mode === 'labels') {
    const host = networks[settings.network]?.IPAddress
    return host ? { host, port: instancePort } : null
  }
  const published = ports.find(
    ({ IP, PrivatePort, Type }) => IP === '127.0.0.1' && PrivatePort === instancePort && Type === 'tcp',
  )
  return published?.PublicPort ? { host: '127.0.0.1', port: published.PublicPort } : null
}
