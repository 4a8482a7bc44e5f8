import type { Clock } from '../../../src/clock.ts'
import { gauge, type Metric } from '../../../src/metrics/exposition.ts'
import type { Driver } from '../driver.ts'

const answerWithinMs = 2000

/** Whether what creates instances answers, and how soon. */
export async function engineMetrics(driver: Driver, clock: Clock): Promise<Metric[]> {
  const begin = clock.monotonic()
  const answered = new AbortController()
  const late = clock.sleep(answerWithinMs, answered.signal).then(() => false)
  const up = await Promise.race([
    driver.ping().then(
      () => true,
      () => false,
    ),
    late,
  ])
  answered.abort()
  return [
    gauge('longhouse_engine_up', 'Whether what creates instances answers.', [
      [{ driver: driver.name }, up ? 1 : 0],
    ]),
    gauge('longhouse_engine_answer_seconds', 'How long it took to answer, or to fail.', [
      [{ driver: driver.name }, (clock.monotonic() - begin) / 1000],
    ]),
  ]
}
