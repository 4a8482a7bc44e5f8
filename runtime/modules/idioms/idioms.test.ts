import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInstance, until } from '../../engine.fixture.ts'
import { runInClone, runInstalledInClone } from '../clone.fixture.ts'
import { idioms } from './idioms.fixture.ts'
import { addWasm, manifest } from './repo.fixture.ts'
import { ownPackages } from './repos.fixture.ts'

for (const [name, files] of Object.entries(idioms)) {
  test(`runs as in a clone: ${name}`, async t => {
    const all = { 'manifest.ts': manifest(), 'lib/add.wasm': addWasm, ...files }
    const { run, engine } = await startInstance(t, { files: all })
    const [here, there] = await Promise.all([run('job'), runInClone(t, all)])
    assert.equal(here.error, null, `${here.error?.message} ${here.error?.stack}`)
    assert.deepEqual(here.result, there)
    assert.equal(engine.manifest().status, 'ok')
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
    const [here, there] = [await run('job'), await runInstalledInClone(t, all)]
    assert.equal(here.error, null, `${here.error?.message} ${here.error?.stack}`)
    assert.deepEqual(here.result, there)
    assert.equal(engine.manifest().status, 'ok')
  })
}
