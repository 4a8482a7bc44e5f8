import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Clock } from '../../../../src/clock.ts'
import { DriverError, type InstanceSpec } from '../../driver.ts'
import { type ContainerSettings, containerName, containerOptions, label, successorName } from './container.ts'
import { containerNamed, containersOn, type FoundContainer, isSuccessor } from './discovery.ts'
import type { Engine } from './engine.ts'
import { createContainer, discardContainer, refuseForeign, renameContainer } from './instance.ts'
import { ensureNetwork, type InstanceNetwork } from './network.ts'

export interface ReplacementParts {
  engine: Engine
  clock: Clock
  settings: ContainerSettings
  /** Makes sure that the image is there; its id. */
  ensureImage(spec: Pick<InstanceSpec, 'image' | 'imageId'>): Promise<string>
}

/** More steps than these mean that someone else changes the same containers. */
const mostSteps = 8

/**
 * Makes sure that a container of exactly this spec exists, and that it is the only one of the instance:
 *
 * 1. Looks at the containers on the volume. Without any, it creates one under the instance's own name, and is done.
 * 2. Where none is as wanted, it creates the successor beside them, under a name of its own.
 * 3. Once one is as wanted, it discards the others, and gives that one the instance's name.
 *
 * It looks again after each step, so it goes on wherever an earlier attempt broke off.
 */
export function replaceContainer(parts: ReplacementParts, spec: InstanceSpec): Promise<void> {
  const { engine, clock } = parts
  return untilDone(spec, async () => {
    const { wanted, there, good } = await survey(parts, spec)
    if (there.length === 0) return await createContainer(engine, containerName(spec), wanted)
    if (!good) {
      await createSuccessor(parts, spec, wanted, there)
      return false
    }
    // Two processes never run on one volume: what is not to stay goes before what stays is started.
    for (const other of there) if (other !== good) await discardContainer(engine, clock, other)
    return good.name === containerName(spec) || (await renameContainer(engine, good, containerName(spec)))
  })
}

/** Makes sure that a container of this spec can take the place of the one that is there, and leaves that one alone. */
export function prepareSuccessor(parts: ReplacementParts, spec: InstanceSpec): Promise<void> {
  return untilDone(spec, async () => {
    const { wanted, there, good } = await survey(parts, spec)
    if (there.length === 0 || good) return true
    await createSuccessor(parts, spec, wanted, there)
    return false
  })
}

/** The container that a spec asks for, in its current state: what there is on the volume, and which of that is as wanted. */
async function survey({ engine, settings, ensureImage }: ReplacementParts, spec: InstanceSpec) {
  const [image, network] = await Promise.all([
    ensureImage(spec),
    ensureNetwork(engine, settings.network, dirname(spec.volume)),
  ])
  // The host alone is believed about who asks: from any other address of the network it may be a job that says so.
  const trustedProxies = [...network.gateways, ...settings.trustedProxies]
  const wanted = containerOptions(spec, { ...settings, trustedProxies }, image)
  if (settings.mode === 'port' && !network.isolating) throw mixing(settings.network)
  const [named, there] = await Promise.all([containerNamed(engine, spec), containersOn(engine, spec)])
  refuseForeign(named, spec)
  const good = there.find(each => isAsWanted(each, wanted.Labels, settings.network, network))
  return { wanted, there, good }
}

/** Makes a container beside those that are there, under a name of its own. */
async function createSuccessor(
  { engine, clock }: ReplacementParts,
  spec: InstanceSpec,
  wanted: ReturnType<typeof containerOptions>,
  there: readonly FoundContainer[],
): Promise<void> {
  const stale = there.find(each => isSuccessor(each, spec))
  if (stale) await discardContainer(engine, clock, stale)
  await createContainer(engine, successorName(spec), wanted)
}

/** Repeats a step until it says that it was the last one. */
async function untilDone(spec: InstanceSpec, step: () => Promise<boolean>): Promise<void> {
  for (let steps = 0; steps < mostSteps; steps++) {
    if (await step()) return
    // A busy engine refuses a name some time before it shows the container that has it.
    await setTimeout(10 * 2 ** steps)
  }
  throw new DriverError(`another program is changing the container ${containerName(spec)} at the same time`, {
    permanent: false,
    transient: true,
  })
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
