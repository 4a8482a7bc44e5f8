import type { NotifySpec } from '../manifest/notify.ts'
import type { IncidentKind } from './finding.ts'

/** False when the job does not want to be told of this. */
export function wants({ failures, longRun, overdue }: NotifySpec, kind: IncidentKind): boolean {
  if (kind === 'failing') return failures !== false
  return kind === 'too-long' ? longRun !== false : overdue
}
