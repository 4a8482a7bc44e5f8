import { sep } from 'node:path'
import { z } from 'zod'
import { DriverError, type Leftover } from '../../driver.ts'
import { isActive, listContainers, noSuchContainer } from './discovery.ts'
import type { Engine } from './engine.ts'
import { workLabel } from './folder-container.ts'
import { noSuchNetwork, rootLabel } from './network.ts'

/** A container of another control plane on the same data, which is about to end, is given so long to go by itself. */
const youngMs = 10 * 60_000

export interface LeftoverScope {
  dataRoot: string
  /** The folders that this control plane works on now. */
  inWork: ReadonlySet<string>
  /** The network that instances get. */
  network: string
  now: number
}

/** Containers that worked on folders of a data root, and networks made for it, which nothing uses any more. */
export async function leftoversOf(engine: Engine, scope: LeftoverScope): Promise<Leftover[]> {
  return [...(await idleWorkers(engine, scope)), ...(await emptyNetworks(engine, scope))]
}

async function idleWorkers(engine: Engine, { dataRoot, inWork, now }: LeftoverScope): Promise<Leftover[]> {
  const workers = await listContainers(engine, 'list containers that work on folders', { label: [workLabel] })
  return workers.flatMap((each): Leftover[] => {
    const folder = each.labels[workLabel] ?? ''
    if (!folder.startsWith(dataRoot + sep) || inWork.has(folder)) return []
    if (each.createdAt === null || now - each.createdAt < youngMs) return []
    const { id, name, createdAt } = each
    const why = `it was made to work on ${folder}, and no work on it is in progress`
    return [{ kind: 'container', id, name, active: isActive(each), createdAt, why }]
  })
}

const networksSchema = z.array(
  z.object({ Id: z.string().min(1), Name: z.string(), Created: z.string().nullish() }),
)

async function emptyNetworks(engine: Engine, { dataRoot, network }: LeftoverScope): Promise<Leftover[]> {
  const made = await engine.read(
    'list the networks of instances',
    {
      method: 'GET',
      path: '/networks',
      query: { filters: JSON.stringify({ label: [`${rootLabel}=${dataRoot}`] }) },
    },
    networksSchema,
  )
  const found: Leftover[] = []
  for (const { Id: id, Name: name, Created } of made) {
    if (name === network) continue
    // Stopped ones too: they need it to start again. One that never ran is on it by name alone.
    const users = await listContainers(engine, `look who uses the network ${name}`, { network: [id, name] })
    if (users.length > 0) continue
    const createdAt = Date.parse(Created ?? '')
    found.push({
      ...{ kind: 'network', id, name, active: false },
      createdAt: Number.isNaN(createdAt) ? null : createdAt,
      why: `instances are on the network ${network} now, and no container is on this one`,
    })
  }
  return found
}

/** Removes one, after a new look that it still is one. Throws in words when it is not. */
export async function discardLeftover(engine: Engine, scope: LeftoverScope, id: string): Promise<void> {
  const found = (await leftoversOf(engine, scope)).find(each => each.id === id)
  if (!found) throw new DriverError('it is no longer there, or in use by now', { permanent: true })
  const { kind, name } = found
  if (kind === 'container')
    await engine.command(
      `remove ${name}`,
      { method: 'DELETE', path: `/containers/${id}`, query: { force: true } },
      { already: [409], absent: noSuchContainer(id) },
    )
  else
    await engine.command(
      `remove the network ${name}`,
      { method: 'DELETE', path: `/networks/${id}` },
      { absent: noSuchNetwork },
    )
}
