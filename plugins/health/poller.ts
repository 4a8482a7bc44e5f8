import type { Clock } from '../../src/clock.ts'
import { limit } from '../../src/concurrency.ts'
import { counter, gauge, type Metric } from '../../src/metrics/exposition.ts'
import type { ProvisionerService, WatchedInstance } from '../provisioner/contract.ts'
import { probe } from './probe.ts'

/** People wait for an instance that was just started: for so long there is hardly a pause between two looks. */
const eagerMs = 5000
/**
 * Pauses between two looks. The eager one is shared by all that are followed: with many starts at once, more looks would take the
 * processor time that the starts need. One that starts alone leaves room for more of them.
 */
const alonePauseMs = 10
const eagerPauseMs = 20
const patientPauseMs = 500

export interface Poller {
  /**
   * Begins one look at each watched instance that is not being looked at already. Each look has its own deadline, so an
   * instance that hangs delays no other. Resolves when all of them are done.
   */
  poll(): Promise<void>
  /**
   * Looks at one instance repeatedly, often at first, until it is healthy or no longer watched. Once it listens, it is asked to
   * answer when it is ready.
   */
  follow(instanceId: string): Promise<void>
  /** Looks by what they showed, and how long the last round took. */
  metrics(): Metric[]
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

  const seen = { healthy: 0, failing: 0, silent: 0 }
  let roundMs = 0

  const look = async (instance: WatchedInstance, { waits = false } = {}): Promise<boolean> => {
    const observation = await probe(instance, timeoutMs, clock.now, waits)
    seen[observation.healthy ? 'healthy' : observation.answers ? 'failing' : 'silent']++
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
      const begin = clock.monotonic()
      const round = provisioner
        .watched()
        .filter(({ id }) => !following.has(id))
        .map(instance => {
          const look = looks.get(instance.id) ?? lookInRound(instance)
          looks.set(instance.id, look)
          return look
        })
      await Promise.all(round)
      roundMs = clock.monotonic() - begin
    },
    follow: async instanceId => {
      if (following.has(instanceId)) return
      following.add(instanceId)
      try {
        const startedAt = clock.monotonic()
        while (!stopping.signal.aborted) {
          const instance = provisioner.watchedOne(instanceId)
          if (!instance || (await look(instance, { waits: true }))) return
          const isEager = clock.monotonic() - startedAt < eagerMs
          const eagerly = following.size === 1 ? alonePauseMs : eagerPauseMs * following.size
          await clock.sleep(isEager ? Math.min(eagerly, patientPauseMs) : patientPauseMs, stopping.signal)
        }
      } finally {
        following.delete(instanceId)
      }
    },
    metrics: () => [
      counter(
        'longhouse_health_looks_total',
        'Looks at instances since the program started: `healthy`; `failing`, it answers and its checks fail; `silent`.',
        Object.entries(seen).map(([result, count]) => [{ result }, count]),
      ),
      gauge('longhouse_health_round_seconds', 'How long the last look at all instances took.', [
        [{}, roundMs / 1000],
      ]),
    ],
    stop: () => stopping.abort(),
  }
}
