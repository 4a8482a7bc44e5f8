import { join } from 'node:path'
import { checkDisk } from '../../../src/storage/disk.ts'
import type { ProvisionerRoutes } from './answer.ts'

/** Says that the control plane's own disk is full; null when it is not. */
export function diskWarning(dataRoot: string): string | null {
  try {
    checkDisk(join(dataRoot, '.control'))
    return null
  } catch (error) {
    const what = (error as Error).message
    return `${what.charAt(0).toUpperCase()}${what.slice(1)}: the control plane can change nothing until there is room again. Instances run on, and nothing is deleted.`
  }
}

/** Says which background work keeps failing; null for none. */
export function taskWarning(faults: ReturnType<ProvisionerRoutes['taskFaults']>): string | null {
  if (faults.length === 0) return null
  const listed = faults.map(({ task, reason }) => `${task} (${reason})`).join('; ')
  return `Background work keeps failing: ${listed}. It is retried. Instances keep running; the log of the control plane has the details.`
}
