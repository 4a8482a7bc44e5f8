import { mkdir } from 'node:fs/promises'
import type { Logger } from '../../../src/log.ts'
import { type Driver, DriverError, type InstanceRef, type InstanceSpec } from '../driver.ts'
import { workInProcess } from './folder-process.ts'
import { type InstanceProcess, startInstanceProcess } from './instance-process.ts'
import { ProcessLog } from './process-log.ts'
import { measureTrees } from './process-usage.ts'

/** Longer than a runtime waits for its predecessor to let go of the volume. */
const listenWithinMs = 30_000

/**
 * Runs each instance as a child process on a loopback port: for a laptop or a test. It isolates nothing, and no
 * instance outlives the control plane. `program` is the built runtime.
 */
export function createProcessDriver(options: {
  program: string
  /** The built program for copies. */
  copyProgram?: string
  /** How long work on a folder may make no progress. */
  folderIdleMs?: number
  log: Logger
  listenWithinMs?: number
}): Driver {
  const { program, log } = options
  const specs = new Map<string, InstanceSpec>()
  const running = new Map<string, InstanceProcess>()
  const logs = new Map<string, ProcessLog>()
  const starting = new Map<string, Promise<void>>()
  let closed = false

  const launch = async (spec: InstanceSpec): Promise<void> => {
    const written = logs.get(spec.id) ?? new ProcessLog()
    logs.set(spec.id, written)
    written.begin()
    const instance = await startInstanceProcess({
      program,
      spec,
      deadlineMs: options.listenWithinMs ?? listenWithinMs,
      onLine: (text, stream) => written.add({ at: Date.now(), stream, text }),
    }).catch((error: DriverError) => {
      written.end()
      throw new DriverError(error.message, { permanent: false, hasLog: true })
    })
    running.set(spec.id, instance)
    void instance.ended.then(how => {
      written.end()
      if (running.get(spec.id) !== instance) return
      running.delete(spec.id)
      log.warn({ subdomain: spec.subdomain }, `an instance ended by itself: ${how}`)
    })
    if (closed) await stop(spec, 0)
  }

  const stop = async ({ id }: InstanceRef, graceMs: number): Promise<void> => {
    const instance = running.get(id)
    if (!instance) return
    running.delete(id)
    await instance.stop(graceMs)
  }

  return {
    name: 'process',
    warning:
      'The process driver isolates nothing: every instance runs with the rights of the control plane. Use it to try things out, never for customers.',
    outlivesControlPlane: false,
    usesImages: false,
    settings: {},
    ping: async () => {},
    prepareVolume: async spec => {
      await mkdir(spec.volume, { recursive: true, mode: 0o700 })
    },
    ...{ findImage: async () => null, isRuntime: async () => true },
    prepareImage: async () => null,
    prepareSuccessor: async () => {},
    create: async spec => {
      const before = specs.get(spec.id)
      if (before && JSON.stringify(before) !== JSON.stringify(spec)) await stop(spec, before.stopGraceMs)
      specs.set(spec.id, spec)
    },
    start: async ({ id, subdomain }) => {
      if (running.has(id) || closed) return
      const spec = specs.get(id)
      if (!spec) throw new DriverError(`${subdomain} was not created`, { permanent: false })
      const start = starting.get(id) ?? launch(spec).finally(() => starting.delete(id))
      starting.set(id, start)
      await start
    },
    stop,
    remove: async ref => {
      await stop(ref, specs.get(ref.id)?.stopGraceMs ?? 0)
      specs.delete(ref.id)
      logs.delete(ref.id)
    },
    inspect: async ({ id }) => {
      const port = running.get(id)?.port() ?? null
      if (port !== null) return { state: 'running', address: { host: '127.0.0.1', port }, imageId: null }
      return { state: specs.has(id) ? 'stopped' : 'absent', address: null, imageId: null }
    },
    measure: async () => {
      const trees = await measureTrees([...running.values()].map(({ pid }) => pid))
      const used = [...running].flatMap(([instanceId, { pid, startedAt }]) => {
        const figures = trees.get(pid)
        return figures ? [{ instanceId, ...figures, startedAt }] : []
      })
      return { used, restMs: 0 }
    },
    restarts: async () => 0,
    refuseRunning: async ({ id, subdomain }) => {
      if (running.has(id) || starting.has(id))
        throw new DriverError(`${subdomain} still runs`, { permanent: false })
    },
    refuseInUse: async ({ id, volume }) => {
      if (running.has(id) || starting.has(id))
        throw new DriverError(`the volume ${volume} is in use by the process of its instance`, {
          permanent: false,
        })
    },
    workOnFolder: work => workInProcess(options, work),
    existing: async () =>
      [...specs.values()].map(({ id, subdomain }) => ({
        instanceId: id,
        container: subdomain,
        active: running.has(id),
      })),
    images: async () => [],
    removeImage: async () => {},
    discard: async (_, id) => {
      throw new DriverError(`${id} is a process of this control plane; stop its instance`, {
        permanent: true,
      })
    },
    capacity: async () => ({ cpus: null, memoryBytes: null }),
    ...withoutEngine,
    log: async function* ({ id }, window, signal) {
      const written = logs.get(id)
      if (written) yield* written.read(window, signal)
    },
    close: async () => {
      closed = true
      await Promise.all([...specs.values()].map(spec => stop(spec, spec.stopGraceMs)))
      await Promise.allSettled([...starting.values()])
    },
  }
}

/** Processes share the host's addresses, and leave nothing but their volumes. */
const withoutEngine: Pick<Driver, 'addresses' | 'leftovers' | 'discardLeftover'> = {
  addresses: async () => null,
  leftovers: async () => [],
  discardLeftover: async () => {},
}
