import type { Concern } from '../../src/kernel/concern.ts'
import type { Metric } from '../../src/metrics/exposition.ts'
import { engineMetrics } from './drivers/metrics.ts'
import type { Orphans } from './orphans/orphans.ts'
import { fleetConcerns, instanceConcerns } from './records/concerns.ts'
import type { Measurements } from './records/disk-use.ts'
import type { Fleet } from './records/fleet.ts'
import { diskMetrics, instanceMetrics, OperationCounts } from './records/metrics.ts'

/** What the provisioner reports of itself to the rest of the program. */
export function provisionerReports(fleet: Fleet, orphans: Orphans, measurements: Measurements) {
  const { db, driver, clock } = fleet
  const counts = new OperationCounts(db)
  return {
    counts,
    metrics: async (): Promise<Metric[]> => [
      ...instanceMetrics(db),
      ...diskMetrics(fleet),
      ...counts.metrics(),
      ...orphans.metrics(),
      ...(await engineMetrics(driver, clock)),
    ],
    concernKinds: [
      ...['instance-failed', 'instance-unhealthy', 'instance-disk-low', 'instance-disk-full'],
      ...['instance-disk-unknown', 'instances-behind', 'instances-unpaid', 'operation-failed', 'orphans'],
    ],
    concerns: (): Concern[] => [
      ...instanceConcerns(fleet),
      ...fleetConcerns(fleet),
      ...measurements.concerns(fleet),
      ...orphans.concerns(),
    ],
  }
}
