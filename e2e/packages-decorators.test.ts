import assert from 'node:assert/strict'
import { testGroup } from './packages.fixture.ts'

testGroup('decorators', {
  // tsx drops the metadata; the repo's own TypeScript makes it here.
  tsyringe: ({ run, clone }) => {
    assert.match(clone.error ?? '', /TypeInfo not known|undefined/)
    assert.equal(run.error, null, String(run.error?.message))
    assert.deepEqual(run.result, { report: '2 readings at 08:00', types: ['Readings', 'Clock'] })
  },
})
