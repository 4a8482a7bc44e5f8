import type { Clock } from '../../src/clock.ts'
import type { Concern } from '../../src/kernel/concern.ts'
import type { Metric } from '../../src/metrics/exposition.ts'
import type { Driver } from './driver.ts'
import { engineMetrics } from './drivers/metrics.ts'
import { instanceConcerns } from './records/concerns.ts'
import type { ProvisionerDb } from './records/instance.ts'
import { instanceMetrics, OperationCounts } from './records/metrics.ts'

/** What the provisioner reports of itself to the rest of the program. */
export function provisionerReports(db: ProvisionerDb, driver: Driver, clock: Clock) {
  const counts = new OperationCounts(db)
  return {
    counts,
    metrics: async (): Promise<Metric[]> => [
      ...instanceMetrics(db),
      ...counts.metrics(),
      ...(await engineMetrics(driver, clock)),
    ],
    concerns: (): Concern[] => instanceConcerns(db, clock.now()),
  }
}
