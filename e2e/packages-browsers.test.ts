import assert from 'node:assert/strict'
import { testGroup } from './packages.fixture.ts'

// The image has no browser, and this machine may have one.
testGroup(
  'browsers',
  {
    playwright: ({ t, run, clone }) => {
      assert.equal(run.error, null, String(run.error?.message))
      assert.deepEqual(run.result, clone.result)
      if (run.result === 'no browser') return t.skip('there is no Chromium here')
      assert.deepEqual(run.result, ['Prices', '42'])
    },
  },
  { needsMachine: true },
)
