import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DrivenEngine, startInstance, until } from '../../engine.fixture.ts'
import type { Run } from '../../jobs/contract.ts'
import { type Outcome, outcomeInClone } from '../clone.fixture.ts'
import { idioms } from './idioms.fixture.ts'
import { addWasm, manifest } from './repo.fixture.ts'
import { ownPackages } from './repos.fixture.ts'

for (const [name, files] of Object.entries(idioms)) {
  test(`runs as in a clone: ${name}`, async t => {
    const all = { 'manifest.ts': manifest(), 'lib/add.wasm': addWasm, ...files }
    const { run, engine } = await startInstance(t, { files: all })
    const [here, there] = await Promise.all([run('job'), outcomeInClone(t, all)])
    assertSame({ name, engine, run: here }, there)
  })
}

for (const [name, files] of Object.entries(ownPackages)) {
  test(`runs as in a clone: ${name}`, async t => {
    const all = { 'manifest.ts': manifest(), ...files }
    const { run, engine } = await startInstance(t, { files: all })
    await until(() => engine.packages().status !== 'installing', 'npm has ended')
    assert.equal(engine.packages().error, null)
    await until(() => engine.manifest().waitingFor === null, 'the load has ended')
    assert.deepEqual(engine.manifest().errors, [])
    const [here, there] = [await run('job'), await outcomeInClone(t, all, { installs: true })]
    assertSame({ name, engine, run: here }, there)
  })
}

/** A report with times in it, which comes when the process ends; and a warning of Node's, which runs do not print. */
const printedOtherwise = new Set(['node:test in a job', 'a wasm module, imported and compiled by hand'])

/** The same result, the same jobs and the same output. */
function assertSame(
  { name, engine, run }: { name: string; engine: DrivenEngine; run: Run },
  there: Outcome,
): void {
  assert.equal(run.error, null, `${run.error?.message} ${run.error?.stack}`)
  assert.deepEqual(run.result, there.result)
  const jobs = engine.jobs().map(({ id, cron }) => ({ id, cron }))
  assert.deepEqual(jobs.toSorted(byId), there.jobs.toSorted(byId))
  if (!printedOtherwise.has(name)) assert.equal(engine.log(run.id).trim(), there.printed)
  assert.equal(engine.manifest().status, 'ok')
}

const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1)
