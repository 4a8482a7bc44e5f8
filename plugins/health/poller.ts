import type { Clock } from '../../src/clock.ts'
import { limit } from '../../src/concurrency.ts'
import type { ProvisionerService, WatchedInstance } from '../provisioner/contract.ts'
import { probe } from './probe.ts'

/** People wait for an instance that was just started: for so long there is hardly a pause between two looks. */
const eagerMs = 5000

export interface Poller {
  /**
   * Begins one look at each watched instance that is not being looked at already. Each look has its own deadline, so an
   * instance that hangs delays no other. Resolves when all of them are done.
   */
  poll(): Promise<void>
  /** Looks at one instance repeatedly, often at first, until it is healthy or no longer watched. */
  follow(instanceId: string): Promise<void>
  stop(): void
}

export function createPoller(options: {
  provisioner: Pick<ProvisionerService, 'watched' | 'watchedOne' | 'recordHealth'>
  clock: Clock
  timeoutMs: number
  atOnce: number
}): Poller {
  const { provisioner, clock, timeoutMs, atOnce } = options
  const stopping = new AbortController()
  const following = new Set<string>()
  /** Looks of the rounds that are in progress or queued, by instance. */
  const looks = new Map<string, Promise<void>>()
  const limited = limit(atOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))

  const look = async (instance: WatchedInstance): Promise<boolean> => {
    const observation = await probe(instance, timeoutMs, clock.now)
    // The instance may have moved to another address meanwhile: what answered at the old one says nothing about it.
    const now = provisioner.watchedOne(instance.id)
    if (stopping.signal.aborted || !now || now.port !== instance.port || now.host !== instance.host)
      return false
    provisioner.recordHealth(instance.id, observation)
    return observation.healthy
  }

  const lookInRound = async (instance: WatchedInstance): Promise<void> => {
    try {
      await limited(async () => {
        if (!stopping.signal.aborted) await look(instance)
      })
    } finally {
      looks.delete(instance.id)
    }
  }

  return {
    poll: async () => {
      const round = provisioner
        .watched()
        .filter(({ id }) => !following.has(id))
        .map(instance => {
          const look = looks.get(instance.id) ?? lookInRound(instance)
          looks.set(instance.id, look)
          return look
        })
      await Promise.all(round)
    },
    follow: async instanceId => {
      if (following.has(instanceId)) return
      following.add(instanceId)
      try {
        const startedAt = clock.monotonic()
        while (!stopping.signal.aborted) {
          const instance = provisioner.watchedOne(instanceId)
          if (!instance || (await look(instance))) return
          await clock.sleep(clock.monotonic() - startedAt < eagerMs ? 20 : 500, stopping.signal)
        }
      } finally {
        following.delete(instanceId)
      }
    },
    stop: () => stopping.abort(),
  }
}
