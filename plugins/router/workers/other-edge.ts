import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BootError } from '../../../src/boot-error.ts'
import type { Logger } from '../../../src/log.ts'
import type { Site } from '../../site/contract.ts'
import { answers, usableFolder } from './edge-folder.ts'
import { StateFile } from './state-file.ts'

/**
 * For a control plane that serves requests itself: throws a BootError, which names the process, when an edge of the same data root still
 * listens at one of its ports.
 */
export async function refuseOtherEdge(site: Site, log: Logger): Promise<void> {
  // A site that never had workers gets no folder for them.
  if (!existsSync(join(site.dataRoot, '.control', 'edge'))) return
  const { edgeSocket, stateFile, pidFile } = usableFolder(site.dataRoot)
  if (!(await answers(edgeSocket))) return
  const ports = [site.port, site.tls?.port ?? 0]
  const own = new StateFile(stateFile, log).addresses().find(({ port }) => port > 0 && ports.includes(port))
  if (!own) return
  const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : 'unknown'
  throw new BootError([
    `${own.setting}: the edge of this data root (process ${pid}) listens on ${own.host}:${own.port}, and without workers the control plane listens there itself. End the edge: kill ${pid}. If it is a service, disable it, or set ROUTER_WORKERS=1`,
  ])
}
