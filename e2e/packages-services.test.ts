import assert from 'node:assert/strict'
import { testGroup } from './packages.fixture.ts'

const checks: Parameters<typeof testGroup>[1] = {
  playwright: ({ t, run, clone }) => {
    assert.equal(run.error, null, String(run.error?.message))
    assert.deepEqual(run.result, clone.result)
    if (run.result === 'no browser') return t.skip('there is no Chromium here')
    assert.deepEqual(run.result, ['Prices', '42'])
  },
  'playwright-own': ({ run, clone }) => {
    assert.match(clone.error ?? '', /Executable doesn't exist at .*chrom/)
    assert.equal(run.status, 'failed')
    assert.match(run.error?.message ?? '', /^the browser is not there.*Executable doesn't exist at .*chrom/s)
    assert.match(run.error?.stack ?? '', /at run \(jobs\/playwright-own\.ts:5:34\)/)
  },
}

// On this machine, which may have a Chromium: the image has none.
testGroup('services', checks, async () => {})
