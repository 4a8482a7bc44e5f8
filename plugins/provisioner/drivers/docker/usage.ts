import { z } from 'zod'
import { limit } from '../../../../src/concurrency.ts'
import type { Used } from '../../driver.ts'
import { type CgroupFigures, cgroupFigures } from './cgroup.ts'
import { label } from './container.ts'
import { containersOf, type FoundContainer, isActive, noSuchContainer } from './discovery.ts'
import type { Engine } from './engine.ts'
import { startedAt } from './instance.ts'

/** Containers that the engine is asked about at the same time. */
const askedAtOnce = 8
const answerWithinMs = 10_000
/** An engine spends about 20 ms of a core on each answer: with this rest, one core in fifteen at most. */
const restOfEachMs = 300
/** A round that takes longer leaves out the rest of the instances. */
const roundMs = 50_000

const statsSchema = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number().optional(),
    stats: z.record(z.string(), z.number()).nullish(),
  }),
  pids_stats: z.object({ current: z.number().optional() }).nullish(),
})

/**
 * Measures containers: from the kernel's own figures where the host's control groups can be read, and else by asking the
 * engine, which takes a second and 20 ms of a core for each container.
 */
export function usageOfContainers(engine: Engine, cgroups: readonly string[]) {
  /** By container, when it was started, and its processor time then: that one falls when it is started again. */
  let known = new Map<string, { startedAt: number | null; processorMs: number }>()

  const look = async (
    container: FoundContainer,
  ): Promise<{ figures: CgroupFigures; asked: boolean } | null> => {
    const read = await cgroupFigures(cgroups, container.id)
    if (read) return { figures: read, asked: false }
    const answered = await stats(engine, container)
    return answered && { figures: answered, asked: true }
  }

  const start = async (container: FoundContainer, processorMs: number): Promise<number | null> => {
    const before = known.get(container.id)
    if (before && before.startedAt !== null && processorMs >= before.processorMs) return before.startedAt
    return await startedAt(engine, container)
  }

  return {
    measure: async (dataRoot: string, signal: AbortSignal): Promise<{ used: Used[]; restMs: number }> => {
      const ending = AbortSignal.any([signal, AbortSignal.timeout(roundMs)])
      const limited = limit(askedAtOnce, Number.POSITIVE_INFINITY, () => new Error('unreachable'))
      const running = (await containersOf(engine, dataRoot)).filter(({ state }) => state === 'running')
      const seen: typeof known = new Map()
      let asked = 0
      const used = await Promise.all(
        running.filter(isActive).map(container =>
          limited(async (): Promise<Used[]> => {
            if (ending.aborted) return []
            try {
              const found = await look(container)
              if (!found) return []
              if (found.asked) asked++
              const begun = await start(container, found.figures.processorMs)
              seen.set(container.id, { startedAt: begun, processorMs: found.figures.processorMs })
              const instanceId = container.labels[label.instance] ?? ''
              return [{ instanceId, ...found.figures, startedAt: begun }]
            } catch {
              // It may have ended meanwhile, or the engine does not answer for it: a gap in its chart says so.
              return []
            }
          }),
        ),
      )
      known = seen
      return { used: used.flat(), restMs: asked * restOfEachMs }
    },
  }
}

/** What the engine says; null when the container is gone or has ended. */
async function stats(engine: Engine, { id, name }: FoundContainer): Promise<CgroupFigures | null> {
  const found = await engine.find(
    `measure ${name}`,
    { method: 'GET', path: `/containers/${id}/stats`, query: { stream: false, 'one-shot': true } },
    statsSchema,
    { absent: noSuchContainer(id), timeoutMs: answerWithinMs },
  )
  const usage = found?.memory_stats.usage
  if (!found || usage === undefined) return null
  const { stats = {} } = found.memory_stats
  const cached = stats?.total_inactive_file ?? stats?.inactive_file ?? 0
  return {
    processorMs: found.cpu_stats.cpu_usage.total_usage / 1e6,
    memoryBytes: Math.max(0, usage - cached),
    processes: found.pids_stats?.current ?? 0,
  }
}
