import { type Engine, orNull } from './docker-engine.ts'
import { DriverError } from './driver.ts'

const interContainer = 'com.docker.network.bridge.enable_icc'

export interface InstanceNetwork {
  id: string
  /** Whether instances on it are kept from reaching each other. */
  isolating: boolean
}

/**
 * Makes sure that the instances' network is there. One that we make keeps its containers apart: the host reaches
 * them, they reach the outside, and none reaches another. One that an operator made is used as it is.
 */
export async function ensureNetwork(engine: Engine, name: string): Promise<InstanceNetwork> {
  const found = await findNetwork(engine, name)
  if (found) return found
  // Null: somebody else made it in the meantime.
  await orNull(
    engine.ask(
      `create the network ${name}`,
      (docker, abortSignal) =>
        docker.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Options: { [interContainer]: 'false' },
          Labels: { 'longhouse.network': name },
          abortSignal,
        }),
      { expected: [409] },
    ),
  )
  const made = await findNetwork(engine, name)
  if (made) return made
  throw new DriverError(`the network ${name} was created and is not there`, { permanent: false })
}

export async function findNetwork(engine: Engine, name: string): Promise<InstanceNetwork | null> {
  const network = await orNull(
    engine.ask(`look at the network ${name}`, docker => docker.getNetwork(name).inspect(), {
      expected: [404],
    }),
  )
  return (
    network && {
      id: network.Id,
      isolating: network.Driver === 'bridge' && network.Options?.[interContainer] === 'false',
    }
  )
}
