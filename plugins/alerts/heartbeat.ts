import { request } from '../../src/delivery/webhook.ts'
import type { Logger } from '../../src/log.ts'
import type { CheckResult } from '../health/contract.ts'

/**
 * Calls an address of a watcher outside, as long as every check passes: when the calls stop, the watcher alerts. It is the
 * only alert that a dead host can give.
 */
export async function beat(
  url: string,
  checks: ReadonlyMap<string, CheckResult>,
  log: Logger,
): Promise<void> {
  const failing = [...checks].find(([, { status }]) => status !== 'ok')
  if (failing) {
    log.warn({ check: failing[0] }, 'no heartbeat is sent while a check fails')
    return
  }
  const status = await request(url)
  if (status >= 300) throw new Error(`the watcher of HEARTBEAT_URL answered with ${status}`)
}
