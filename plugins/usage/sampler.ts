import type { Clock } from '../../src/clock.ts'
import type { MeasuredInstance, ProvisionerService, UsageNow } from '../provisioner/contract.ts'
import type { Sample, UsageStore } from './store.ts'

/** After this long without a look, what an instance takes now is not known. */
const staleMs = 12 * 60_000

/** The figures of the last look at an instance, and when it was, on the monotonic clock. */
interface Look {
  measured: MeasuredInstance
  at: number
  /** For people: by the wall clock. */
  seenAt: number
  cpu: number | null
}

/** Measures all instances in rounds, and keeps what it finds. */
export function createSampler(parts: {
  provisioner: Pick<ProvisionerService, 'measure'>
  store: Pick<UsageStore, 'keep' | 'tidy'>
  clock: Clock
}) {
  const { provisioner, store, clock } = parts
  let looks = new Map<string, Look>()
  let notBefore = Number.NEGATIVE_INFINITY
  let roundMs = 0

  return {
    /** One round; none while the host rests from the last one. */
    round: async (signal: AbortSignal): Promise<void> => {
      const begin = clock.monotonic()
      if (begin < notBefore) return
      const { measured, restMs } = await provisioner.measure(signal)
      const at = clock.monotonic()
      roundMs = at - begin
      notBefore = begin + restMs
      const seenAt = clock.now()
      const seen = new Map<string, Look>()
      for (const each of measured) {
        const before = looks.get(each.instanceId)
        seen.set(each.instanceId, { measured: each, at, seenAt, cpu: cpuSince(before, each, at) })
      }
      looks = seen
      store.keep([...seen.values()].map(sampleOf), seenAt)
      store.tidy(seenAt)
    },

    /** What an instance takes now; null while it does not run or was not measured lately. */
    now: (instanceId: string): UsageNow | null => {
      const look = looks.get(instanceId)
      if (!look || clock.monotonic() - look.at > staleMs) return null
      const { memoryBytes, processes, startedAt } = look.measured
      return { at: look.seenAt, cpu: look.cpu, memoryBytes, processes, startedAt }
    },

    /** How many instances the last round measured, and how long it took. */
    figures: () => ({ measured: looks.size, roundMs }),
  }
}

/** In cores, since the look before; null without one, and when the instance was started again meanwhile. */
function cpuSince(before: Look | undefined, { processorMs }: MeasuredInstance, at: number): number | null {
  if (!before || at <= before.at || processorMs < before.measured.processorMs) return null
  return (processorMs - before.measured.processorMs) / (at - before.at)
}

function sampleOf({ measured, cpu }: Look): Sample {
  const { instanceId, memoryBytes, diskBytes, processes } = measured
  return {
    instanceId,
    cpu: cpu === null ? null : Math.round(cpu * 1000),
    memoryKib: Math.round(memoryBytes / 1024),
    diskKib: diskBytes === null ? null : Math.round(diskBytes / 1024),
    processes,
  }
}
