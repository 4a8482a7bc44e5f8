import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prepareRestriction } from './landlock.ts'
import { reachOfHelper, reachOfRuns } from './reach.ts'
import type { SystemCalls } from './system-calls.ts'

/** A system whose Landlock has this version, and what it was asked for. */
function systemOf(version: bigint) {
  const restricted: bigint[] = []
  const system: SystemCalls = {
    call: (number, a, _, flags) => {
      if (number === 444n) return a === 0n && flags === 1n ? version : 9n
      if (number === 446n) restricted.push(number)
      return 0n
    },
    openPlace: () => 10n,
    close: () => {},
    forbidNewPrivileges: () => true,
    adoptOrphans: () => true,
  }
  return { system, restricted }
}

const helper = reachOfHelper('/data/acme', ['/data/acme/jobs'])
const run = reachOfRuns('/data/acme', '/data/acme/jobs', '/tmp/run')

test('programs that must move files are not restricted where the system forbids moving files to every restricted program', () => {
  for (const [version, reach, bound] of [
    [0n, run, false],
    [1n, run, true],
    [1n, helper, false],
    [2n, helper, true],
    [7n, helper, true],
  ] as const) {
    const { system, restricted } = systemOf(version)
    assert.equal(prepareRestriction(reach, system)?.() ?? false, bound, `${version}`)
    assert.equal(restricted.length, bound ? 1 : 0)
  }
})
