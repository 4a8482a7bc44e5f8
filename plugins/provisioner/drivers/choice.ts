import { z } from 'zod'
import { BootError } from '../../../src/boot-error.ts'
import { setting } from '../../../src/kernel/config.ts'
import type { Logger } from '../../../src/log.ts'
import { builtRoot } from '../../../src/root.ts'
import type { Site } from '../../site/contract.ts'
import type { Driver } from '../driver.ts'
import { exceeds, unknownRuntime } from './capacity.ts'
import { createDockerDriver, dockerAvailable, labelReaders } from './docker/docker.ts'
import { createProcessDriver } from './process.ts'

/** The settings that decide what instances are made of. */
export const driverConfig = z.object({
  PROVISIONER_DRIVER: z
    .enum(['auto', 'docker', 'process'], 'must be auto, docker or process')
    .default('auto'),
  CONTROL_PLANE_IMAGE: z.string().default('longhouse-runtime:latest'),
  /** As Docker's own tools read it. */
  DOCKER_HOST: z
    .string()
    .regex(/^unix:\/\/\/.+/, 'must be a local socket such as unix:///var/run/docker.sock')
    .default('unix:///var/run/docker.sock'),
  /** The Docker network that instances join. */
  PROVISIONER_NETWORK: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'must be the name of a Docker network')
    .default('longhouse'),
  ROUTER_LABELS: setting
    .list()
    .transform((names, context) => {
      const known = labelReaders.filter(reader => names.includes(reader))
      if (known.length === 0 || names.some(name => !known.some(reader => reader === name))) {
        context.addIssue({
          code: 'custom',
          message: `must be ${labelReaders.join(' or ')}, or both with a comma`,
        })
        return z.NEVER
      }
      return known
    })
    .optional(),
  INSTANCE_MEMORY: setting.size('64m', '1024g').prefault('512m'),
  INSTANCE_CPUS: z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number of cores such as 0.5 or 2')
    .transform(Number)
    .refine(cores => cores >= 0.05 && cores <= 1024, 'must be a number of cores from 0.05 to 1024')
    .prefault('1'),
  INSTANCE_PIDS: setting.integer(32, 100_000).prefault('256'),
  /** The container runtime of instances, as the engine knows it: `runsc` is gVisor's sandbox. */
  INSTANCE_RUNTIME: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'must be the name of a container runtime such as runsc')
    .optional(),
})

export type DriverConfig = z.output<typeof driverConfig>

/** Decides once, at boot, what creates instances, and says aloud what the choice lacks. */
export async function chooseDriver(config: DriverConfig, site: Site, log: Logger): Promise<Driver> {
  const socketPath = config.DOCKER_HOST.slice('unix://'.length)
  const wanted = config.PROVISIONER_DRIVER
  const docker = wanted === 'docker' || (wanted === 'auto' && (await dockerAvailable(socketPath)))
  if (!docker && site.production) {
    throw new BootError([
      wanted === 'process'
        ? 'PROVISIONER_DRIVER: the process driver isolates nothing and is refused when NODE_ENV=production; use docker'
        : `PROVISIONER_DRIVER: no Docker engine answers at ${socketPath}; start it, or point DOCKER_HOST to its socket`,
    ])
  }
  if (!docker && config.INSTANCE_RUNTIME !== undefined)
    throw new BootError([
      'INSTANCE_RUNTIME: is for containers, and the process driver makes none; use docker, or leave it out',
    ])
  if (config.ROUTER_LABELS !== undefined && !(docker && site.routerMode === 'labels'))
    throw new BootError([
      'ROUTER_LABELS: is for ROUTER_MODE=labels with the docker driver; leave it out, or set that mode',
    ])
  const driver = docker
    ? dockerDriver(config, site, socketPath)
    : createProcessDriver({ program: builtRoot('runtime.js'), log })
  log.info({ driver: driver.name }, 'instances are made by this driver')
  // An engine that is away now comes back, and the health check says so until then; asking makes it known what it lacks.
  await driver.ping().catch(error => log.warn({ err: error }, 'the engine does not answer'))
  // The engine would refuse to make such a container, or could not keep it to its limit.
  const capacity = await driver.capacity().catch(() => null)
  const faults = [
    capacity && exceeds({ cpus: config.INSTANCE_CPUS }, capacity, 'INSTANCE_CPUS'),
    capacity && exceeds({ memoryBytes: config.INSTANCE_MEMORY }, capacity, 'INSTANCE_MEMORY'),
    unknownRuntime(config.INSTANCE_RUNTIME, capacity?.runtimes),
  ].filter(fault => fault !== null)
  if (faults.length > 0) throw new BootError(faults)
  if (driver.warning) log.warn(driver.warning)
  return driver
}

function dockerDriver(config: DriverConfig, site: Site, socketPath: string): Driver {
  return createDockerDriver({
    socketPath,
    network: config.PROVISIONER_NETWORK,
    mode: site.routerMode === 'labels' ? 'labels' : 'port',
    ...(config.ROUTER_LABELS !== undefined && { labelsFor: config.ROUTER_LABELS }),
    ...(config.INSTANCE_RUNTIME !== undefined && { runtime: config.INSTANCE_RUNTIME }),
    domain: site.domain,
    trustedByEdge: site.trustedProxies,
    // caddy-docker-proxy may sit on the instances' network, where the operator put it.
    ...(site.routerMode === 'labels' && { trustedProxies: site.trustedProxies }),
    limits: { memoryBytes: config.INSTANCE_MEMORY, cpus: config.INSTANCE_CPUS, pids: config.INSTANCE_PIDS },
  })
}
