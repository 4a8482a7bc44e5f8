import type { Clock } from '../../src/clock.ts'
import type { ProvisionerService, WatchedInstance } from '../provisioner/contract.ts'
import { probe } from './probe.ts'

export interface Poller {
  /** One look at each watched instance. Each has its own deadline, so that one that hangs delays no other. */
  pollOnce(): Promise<void>
  /** Looks at one instance again and again, quickly at first, until it is healthy or no longer watched. */
  follow(instanceId: string): Promise<void>
  stop(): void
}

export function createPoller(options: {
  provisioner: ProvisionerService
  clock: Clock
  timeoutMs: number
  atOnce: number
}): Poller {
  const { provisioner, clock, timeoutMs, atOnce } = options
  const stopping = new AbortController()
  const following = new Set<string>()
  const busy = new Set<string>()

  const look = async (instance: WatchedInstance): Promise<boolean> => {
    const observation = await probe(instance, timeoutMs, clock.now)
    // What was asked of an address that has changed meanwhile says nothing about the instance.
    const now = provisioner.watchedOne(instance.id)
    if (stopping.signal.aborted || !now || now.port !== instance.port || now.host !== instance.host)
      return false
    provisioner.recordHealth(instance.id, observation)
    return observation.healthy
  }

  return {
    pollOnce: async () => {
      const queue = provisioner.watched().filter(({ id }) => !following.has(id) && !busy.has(id))
      const worker = async () => {
        for (let next = queue.shift(); next; next = queue.shift()) {
          busy.add(next.id)
          try {
            await look(next)
          } finally {
            busy.delete(next.id)
          }
        }
      }
      await Promise.all(Array.from({ length: Math.min(atOnce, queue.length) }, worker))
    },
    follow: async instanceId => {
      if (following.has(instanceId)) return
      following.add(instanceId)
      try {
        for (let waitMs = 10; !stopping.signal.aborted; waitMs = Math.min(500, waitMs * 1.5)) {
          const instance = provisioner.watchedOne(instanceId)
          if (!instance || (await look(instance))) return
          await clock.sleep(waitMs, stopping.signal)
        }
      } finally {
        following.delete(instanceId)
      }
    },
    stop: () => stopping.abort(),
  }
}
