import { isIP } from 'node:net'
import { z } from 'zod'
import { DriverError } from '../../driver.ts'
import type { Engine } from './engine.ts'

/** Marks networks with the data root of the control plane that made them. */
export const rootLabel = 'longhouse.root'

export const noSuchNetwork = /no such network|network .* not found/i

const interContainer = 'com.docker.network.bridge.enable_icc'

export interface InstanceNetwork {
  id: string
  /** Whether instances on it are kept from reaching each other. */
  isolating: boolean
  /** The host's own addresses on it: where its requests to instances come from. */
  gateways: readonly string[]
  /** An address of each of its IPv4 ranges that the engine gives to containers. */
  neighbours: readonly string[]
}

/**
 * Makes sure that the instances' network is there. One that we make keeps its containers apart: the host reaches
 * them, they reach the outside, and none reaches another. One that an operator made is used as it is.
 */
export function ensureNetwork(engine: Engine, name: string, dataRoot: string): Promise<InstanceNetwork> {
  // One at a time: the engine lets two that are asked for at once have the same name, and then takes neither for it.
  const making = underWay.get(engine) ?? new Map<string, Promise<InstanceNetwork>>()
  underWay.set(engine, making)
  const begun = making.get(name) ?? makeNetwork(engine, name, dataRoot).finally(() => making.delete(name))
  making.set(name, begun)
  return begun
}

const underWay = new WeakMap<Engine, Map<string, Promise<InstanceNetwork>>>()

async function makeNetwork(engine: Engine, name: string, dataRoot: string): Promise<InstanceNetwork> {
  const found = await findNetwork(engine, name)
  if (found) return found
  await engine
    .read(
      `create the network ${name}`,
      {
        method: 'POST',
        path: '/networks/create',
        body: {
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Options: { [interContainer]: 'false' },
          Labels: { 'longhouse.network': name, [rootLabel]: dataRoot },
        },
      },
      z.object({ Id: z.string().min(1) }),
    )
    .catch(async error => {
      // Another control plane, or another instance's creation, made it in the meantime.
      if (!(await findNetwork(engine, name))) throw error
    })
  const made = await findNetwork(engine, name)
  if (made) return made
  throw new DriverError(`the network ${name} was created and is not there`, { permanent: false })
}

const networkSchema = z.object({
  Id: z.string().min(1),
  Driver: z.string(),
  Options: z.record(z.string(), z.string()).nullish(),
  IPAM: z
    .object({
      Config: z
        .array(
          z.object({
            Gateway: z.string().optional(),
            Subnet: z.string().optional(),
            IPRange: z.string().optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
  /** Of those that run, by container. */
  Containers: z.record(z.string(), z.unknown()).nullish(),
})

function lookAtNetwork(engine: Engine, name: string) {
  return engine.find(
    `look at the network ${name}`,
    { method: 'GET', path: `/networks/${name}` },
    networkSchema,
    { absent: noSuchNetwork },
  )
}

/** Linux takes no more ports on one bridge, whatever its range has. */
const portsOfBridge = 1023

/** How many addresses a network gives to containers, and how many have one: those that run. Null when it is not there. */
export async function addressUse(
  engine: Engine,
  name: string,
): Promise<{ used: number; total: number } | null> {
  const network = await lookAtNetwork(engine, name)
  if (!network) return null
  const ranges = network.IPAM?.Config ?? []
  const given = ranges.reduce((sum, { Subnet = '', IPRange }) => sum + addressesIn(IPRange || Subnet), 0)
  const total = network.Driver === 'bridge' ? Math.min(given, portsOfBridge) : given
  return { used: Object.keys(network.Containers ?? {}).length, total }
}

/** Of an IPv4 range, without its first, its last and the host's own; 0 for any other. */
function addressesIn(range: string): number {
  const [network = '', length] = range.split('/')
  return isIP(network) === 4 ? Math.max(0, 2 ** (32 - Number(length)) - 3) : 0
}

export async function findNetwork(engine: Engine, name: string): Promise<InstanceNetwork | null> {
  const network = await lookAtNetwork(engine, name)
  const ranges = network?.IPAM?.Config ?? []
  return (
    network && {
      id: network.Id,
      gateways: ranges.flatMap(gatewayOf),
      neighbours: ranges.flatMap(({ Subnet = '' }) => addressAt(Subnet, 2)),
      isolating: network.Driver === 'bridge' && network.Options?.[interContainer] === 'false',
    }
  )
}

/** Said by the engine, or else the first address of the range, which it takes. */
function gatewayOf({
  Gateway,
  Subnet,
}: {
  Gateway?: string | undefined
  Subnet?: string | undefined
}): string[] {
  const [said = ''] = Gateway?.split('/') ?? []
  if (isIP(said) !== 0) return [said]
  return Subnet === undefined ? [] : addressAt(Subnet, 1)
}

function addressAt(range: string, offset: number): string[] {
  const [network = '', length] = range.split('/')
  if (isIP(network) !== 4 || Number(length) > 30) return []
  const last = network.lastIndexOf('.')
  return [`${network.slice(0, last)}.${Number(network.slice(last + 1)) + offset}`]
}
