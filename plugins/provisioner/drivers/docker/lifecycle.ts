import type { Clock } from '../../../../src/clock.ts'
import { DriverError, type InstanceRef } from '../../driver.ts'
import { containerName } from './container.ts'
import { isActive, ownContainers } from './discovery.ts'
import type { Engine } from './engine.ts'
import { discardContainer, restartCount, startContainer, stopContainer } from './instance.ts'

/** Starts an instance's container. Throws when there is none, or when another one of it runs on the same volume. */
export async function startInstance(engine: Engine, ref: InstanceRef): Promise<void> {
  const [container, other] = await ownContainers(engine, ref)
  if (!container)
    throw new DriverError(`there is no container ${containerName(ref)} to start`, { permanent: false })
  if (other && isActive(other))
    throw new DriverError(
      `${container.name} and ${other.name} both run on the volume of ${ref.subdomain}; restart it, and one of them goes`,
      { permanent: false },
    )
  await startContainer(engine, container)
}

/** Stops every container of an instance, and makes sure that the engine did. */
export async function stopInstance(engine: Engine, ref: InstanceRef, graceMs: number): Promise<void> {
  const running = (await ownContainers(engine, ref)).filter(isActive)
  await Promise.all(running.map(each => stopContainer(engine, each, graceMs)))
  if (running.length === 0) return
  const still = (await ownContainers(engine, ref)).find(isActive)
  if (still)
    throw new DriverError(`the engine says that it stopped ${still.name}, which is ${still.state}`, {
      permanent: false,
      transient: true,
    })
}

/** How often the engine restarted the instance's container by itself since it was started. */
export async function restartsOf(engine: Engine, ref: InstanceRef): Promise<number> {
  const [container] = await ownContainers(engine, ref)
  return container ? await restartCount(engine, container) : 0
}

/** Throws when a container of an instance runs. */
export async function refuseRunning(engine: Engine, ref: InstanceRef): Promise<void> {
  const running = (await ownContainers(engine, ref)).find(isActive)
  if (running)
    throw new DriverError(`${running.name} is ${running.state}, though it was stopped`, {
      permanent: false,
      transient: true,
    })
}

/** Removes every container of an instance, and makes sure that the engine did. */
export async function removeInstance(engine: Engine, clock: Clock, ref: InstanceRef): Promise<void> {
  for (const each of await ownContainers(engine, ref)) await discardContainer(engine, clock, each)
  const left = (await ownContainers(engine, ref))[0]
  if (left)
    throw new DriverError(`the engine says that it removed ${left.name}, which is ${left.state}`, {
      permanent: false,
      transient: true,
    })
}
