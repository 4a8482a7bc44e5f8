import type { NotifySpec } from '../manifest/notify.ts'
import type { IncidentKind } from './finding.ts'

/** False if the job has turned off this kind of notice. */
export function wants({ failures, longRun, overdue }: NotifySpec, kind: IncidentKind): boolean {
  if (kind === 'failing') return failures !== false
  return kind === 'too-long' ? longRun !== false : overdue
}
