import type { Clock } from '../../src/clock.ts'
import type { ProvisionerService, WatchedInstance } from '../provisioner/contract.ts'
import { probe } from './probe.ts'

/** Somebody waits for an instance that was just started: for so long it is looked at all the time. */
const eagerMs = 5000

export interface Poller {
  /**
   * Begins one look at each watched instance that is not being looked at already. Each has its own deadline, and nobody
   * waits for the slowest: one that hangs delays no other. What it returns is there when all of them are done.
   */
  poll(): Promise<void>
  /** Looks at one instance again and again, eagerly at first, until it is healthy or no longer watched. */
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
  /** Instances that are being looked at, or wait for their turn. */
  const looks = new Map<string, Promise<void>>()
  const queue: (() => void)[] = []
  let free = atOnce

  const turn = async () => {
    if (free > 0) free--
    else await new Promise<void>(resolve => queue.push(resolve))
  }
  const done = () => {
    const next = queue.shift()
    if (next) next()
    else free++
  }

  const look = async (instance: WatchedInstance): Promise<boolean> => {
    const observation = await probe(instance, timeoutMs, clock.now)
    // What was asked of an address that has changed meanwhile says nothing about the instance.
    const now = provisioner.watchedOne(instance.id)
    if (stopping.signal.aborted || !now || now.port !== instance.port || now.host !== instance.host)
      return false
    provisioner.recordHealth(instance.id, observation)
    return observation.healthy
  }

  const lookInTurn = async (instance: WatchedInstance): Promise<void> => {
    await turn()
    try {
      if (!stopping.signal.aborted) await look(instance)
    } finally {
      done()
      looks.delete(instance.id)
    }
  }

  return {
    poll: async () => {
      const round = provisioner
        .watched()
        .filter(({ id }) => !following.has(id))
        .map(instance => {
          const look = looks.get(instance.id) ?? lookInTurn(instance)
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
