import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ActiveRun, ActiveRuns } from './active-runs.ts'
import { keyOf } from './start-rule.ts'

let made = 0
const runOf = (given: { jobId: string; key: string | null; serial: boolean; startsAt: number }) =>
  ({
    row: { id: `run_${++made}`, jobId: given.jobId, policy: { concurrencyKey: given.key } },
    serial: given.serial,
    startsAt: given.startsAt,
    started: false,
  }) as ActiveRun

/** What may happen to the runs of a queue: another one is added, time passes, one ends, one leaves the queue. */
const happening = fc.oneof(
  fc.record({
    add: fc.record({
      jobId: fc.constantFrom('a', 'b', 'c'),
      key: fc.constantFrom(null, 'db'),
      serial: fc.boolean(),
      startsAt: fc.constantFrom(0, 10, 20),
    }),
  }),
  fc.record({ waitMs: fc.nat(10) }),
  fc.record({ end: fc.nat(9) }),
  fc.record({ dequeue: fc.nat(9) }),
)

test('any sequence of events keeps runs within the limit, one run per key and one run per serial job', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), happenings => {
      const runs = new ActiveRuns(3)
      let now = 0
      const inProgress: ActiveRun[] = []
      const startAll = () => {
        for (let run = runs.startNext(now); run; run = runs.startNext(now)) {
          assert.ok(run.startsAt <= now, 'its time has come')
          const ofJob = inProgress.filter(other => other.row.jobId === run?.row.jobId)
          assert.ok(!run.serial || ofJob.length === 0, 'no run of its job is in progress')
          inProgress.push(run)
        }
        const keys = inProgress.map(run => keyOf(run.row)).filter(key => key !== '')
        assert.equal(new Set(keys).size, keys.length, 'one run a key')
        assert.ok(inProgress.length <= 3, 'the limit')
        assert.equal([...runs.all()].length, inProgress.length + runs.queued.length)
      }
      for (const step of happenings) {
        if ('add' in step) runs.add(runOf(step.add))
        else if ('waitMs' in step) now += step.waitMs
        else if ('end' in step) {
          const [run] = inProgress.splice(step.end % Math.max(1, inProgress.length), 1)
          if (run) {
            runs.remove(run)
            runs.release(run)
          }
        } else {
          const run = runs.queued[step.dequeue % Math.max(1, runs.queued.length)]
          if (run && runs.dequeue(run)) runs.remove(run)
        }
        startAll()
      }
      // Once all that is in progress ends, and time passes, everything starts: nothing is left behind.
      now = 100
      startAll()
      for (let run = inProgress.shift(); run; run = inProgress.shift()) {
        runs.remove(run)
        runs.release(run)
        startAll()
      }
      assert.deepEqual([runs.queued.length, [...runs.all()].length], [0, 0])
    }),
  )
})
