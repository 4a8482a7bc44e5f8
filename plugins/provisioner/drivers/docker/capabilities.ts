import { z } from 'zod'
import { addressSet } from '../../../../src/http/address.ts'
import type { ContainerSettings } from './container.ts'
import { type Engine, lookWithinMs } from './engine.ts'
import type { InstanceNetwork } from './network.ts'

const infoSchema = z.object({
  MemoryLimit: z.boolean().optional(),
  PidsLimit: z.boolean().optional(),
  CpuCfsQuota: z.boolean().optional(),
  NCPU: z.number().positive().optional(),
  MemTotal: z.number().positive().optional(),
  Runtimes: z.record(z.string(), z.unknown()).optional(),
})
export type EngineInfo = z.output<typeof infoSchema>

/** What the engine says about itself and its host. */
export function engineInfo(engine: Engine): Promise<EngineInfo> {
  return engine.read('ask Docker what it can do', { method: 'GET', path: '/info' }, infoSchema, {
    timeoutMs: 2 * lookWithinMs,
  })
}

/** What this engine does less than a customer may expect; null when it does everything. */
export function shortcomings(
  info: EngineInfo,
  settings: ContainerSettings,
  { network, trusted }: { network: InstanceNetwork | null; trusted: readonly string[] },
): string | null {
  const believed = addressSet(trusted)
  const unlimited = [
    info.MemoryLimit === false && 'memory',
    info.PidsLimit === false && 'processes',
    info.CpuCfsQuota === false && 'CPU time',
  ].filter(name => name !== false)
  const warnings = [
    unlimited.length > 0 && `This Docker engine cannot limit ${unlimited.join(', ')} of an instance.`,
    settings.mode === 'labels' &&
      network?.isolating === false &&
      `Instances share the network ${settings.network}, on which containers reach each other.`,
    network?.neighbours.some(believed.has) === true &&
      `LONGHOUSE_TRUSTED_PROXIES contains the network ${settings.network}, so that jobs can forge the addresses of clients; name your proxy’s address alone.`,
  ].filter(text => text !== false)
  return warnings.length > 0 ? warnings.join(' ') : null
}
