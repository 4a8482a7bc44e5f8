import { dirname, sep } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { DriverError, type InstanceRef, type InstanceSpec } from '../../driver.ts'
import { containerName, label, successorName } from './container.ts'
import { type Engine, lookWithinMs } from './engine.ts'

const endpoint = z.object({ NetworkID: z.string(), IPAddress: z.string() })

const foundSchema = z
  .object({
    Id: z.string().min(1),
    Names: z.array(z.string()).nullable(),
    ImageID: z.string(),
    State: z.string().min(1),
    Created: z.number().nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    Ports: z
      .array(
        z.object({
          IP: z.string().optional(),
          PrivatePort: z.number(),
          PublicPort: z.number().optional(),
          Type: z.string(),
        }),
      )
      .nullish(),
    NetworkSettings: z.object({ Networks: z.record(z.string(), endpoint).nullish() }).nullish(),
    Mounts: z
      .array(z.object({ Source: z.string().optional(), Destination: z.string().optional() }))
      .nullish(),
  })
  .transform(found => ({
    id: found.Id,
    name: (found.Names?.[0] ?? `/${found.Id.slice(0, 12)}`).slice(1),
    imageId: found.ImageID,
    state: found.State,
    createdAt: found.Created ? found.Created * 1000 : null,
    labels: found.Labels ?? {},
    ports: found.Ports ?? [],
    networks: found.NetworkSettings?.Networks ?? {},
    mounts: found.Mounts ?? [],
  }))

/** A container as the engine lists it. */
export type FoundContainer = z.output<typeof foundSchema>

const listSchema = z.array(foundSchema)

/** A process of it may be alive. */
export function isActive({ state }: Pick<FoundContainer, 'state'>): boolean {
  return !['created', 'exited', 'dead', 'removing'].includes(state)
}

/**
 * Lists containers, the stopped ones too. The engine answers this from memory: a container that is stuck, and whose
 * inspection hangs, does not hold it up.
 */
export function listContainers(
  engine: Engine,
  doing: string,
  filters: Readonly<Record<string, readonly string[]>> = {},
): Promise<FoundContainer[]> {
  return engine.read(
    doing,
    {
      method: 'GET',
      path: '/containers/json',
      query: { all: true, filters: JSON.stringify(filters) },
    },
    listSchema,
    { timeoutMs: lookWithinMs },
  )
}

/**
 * Every container of an instance, whatever its name: the one that runs first, then the one with its proper name. They are
 * found by their label; none is returned only when the engine says twice that there is none, by label and by name.
 */
export async function ownContainers(engine: Engine, ref: InstanceRef): Promise<FoundContainer[]> {
  const name = containerName(ref)
  const doing = `look at ${name}`
  const listOwn = async () =>
    (await listContainers(engine, doing, { label: [`${label.instance}=${ref.id}`] }))
      .filter(each => each.labels[label.instance] === ref.id)
      .toSorted((one, other) => rank(other, name) - rank(one, name))
  const own = await listOwn()
  if (own.length > 0) return own
  const named = await containerNamed(engine, ref)
  if (named?.labels[label.instance] !== ref.id) return []
  // It may have been created between the two questions. A busy engine lists it a moment after it shows it.
  for (const pauseMs of [0, 50, 200, 500]) {
    await setTimeout(pauseMs)
    const now = await listOwn()
    if (now.length > 0) return now
  }
  throw new DriverError(
    `could not ${doing}: the engine names no container of this instance and then shows one; whether it is there is unknown`,
    { permanent: false, transient: true },
  )
}

function rank(container: FoundContainer, name: string): number {
  return (isActive(container) ? 4 : 0) + (container.name === name ? 2 : 0)
}

const namedSchema = z.object({
  Id: z.string().min(1),
  Name: z.string().min(1),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
  Mounts: z.array(z.object({ Source: z.string().optional(), Destination: z.string().optional() })).nullish(),
})

/** Whatever container has the instance's name; null only when the engine says that there is none. */
export async function containerNamed(
  engine: Engine,
  ref: Pick<InstanceRef, 'subdomain'>,
): Promise<Pick<FoundContainer, 'id' | 'name' | 'labels' | 'mounts'> | null> {
  const name = containerName(ref)
  const found = await engine.find(
    `look at ${name}`,
    { method: 'GET', path: `/containers/${name}/json` },
    namedSchema,
    { absent: noSuchContainer(name), timeoutMs: lookWithinMs },
  )
  // The engine takes a name for the beginning of an id as well.
  if (!found || found.Name !== `/${name}`) return null
  return { id: found.Id, name, labels: found.Config.Labels ?? {}, mounts: found.Mounts ?? [] }
}

/** The engine's own words for a container that it does not have; Podman puts them the other way round. */
export function noSuchContainer(reference: string): RegExp {
  const named = RegExp.escape(reference)
  return new RegExp(`no such container: ${named}$|no container with name or ID "${named}" found`, 'i')
}

/** Whether it is the one that waits to take the place of an instance's container. */
export function isSuccessor(
  container: Pick<FoundContainer, 'name'>,
  ref: Pick<InstanceRef, 'subdomain'>,
): boolean {
  return container.name === successorName(ref)
}

/** Containers of Longhouse on a volume, the instance's own and those of a record that was lost. */
export async function containersOn(engine: Engine, spec: InstanceSpec): Promise<FoundContainer[]> {
  const [own, onVolume] = await Promise.all([
    ownContainers(engine, spec),
    listContainers(engine, `look who uses ${spec.volume}`, { volume: [spec.volume] }),
  ])
  const lost = onVolume.filter(
    each =>
      each.labels[label.instance] !== undefined &&
      each.mounts.some(({ Source }) => Source === spec.volume) &&
      own.every(({ id }) => id !== each.id),
  )
  return [...own, ...lost]
}

/**
 * Throws unless nothing runs on a volume and no container of Longhouse could start on it. Call it before a volume is
 * deleted.
 */
export async function refuseInUse(engine: Engine, volume: string): Promise<void> {
  const all = await listContainers(engine, `look who uses ${volume}`)
  const users = all.filter(
    each =>
      (isActive(each) || each.labels[label.instance] !== undefined) &&
      each.mounts.some(({ Source }) => Source === volume || Source?.startsWith(volume + sep)),
  )
  if (users.length === 0) return
  const names = users.map(({ name, state }) => `${name} (${state})`).join(', ')
  throw new DriverError(
    `the volume ${volume} is in use by ${users.length === 1 ? 'the container' : 'the containers'} ${names}: nothing was deleted. Stop and remove ${users.length === 1 ? 'it' : 'them'}, and the volume goes with the next try`,
    { permanent: false },
  )
}

/** Containers of Longhouse whose volumes lie in a data root, for a comparison with its records. */
export async function containersOf(engine: Engine, dataRoot: string): Promise<FoundContainer[]> {
  const ours = await listContainers(engine, 'list the containers of instances', { label: [label.instance] })
  return ours.filter(
    each =>
      each.labels[label.instance] !== undefined &&
      each.mounts.some(({ Source }) => Source !== undefined && dirname(Source) === dataRoot),
  )
}
