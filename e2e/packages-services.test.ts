import assert from 'node:assert/strict'
import { testGroup } from './packages.fixture.ts'

testGroup('services', {
  'playwright-own': ({ run, clone }) => {
    assert.match(clone.error ?? '', /Executable doesn't exist at .*chrom/)
    assert.equal(run.status, 'failed')
    assert.match(run.error?.message ?? '', /^the browser is not there.*Executable doesn't exist at .*chrom/s)
    assert.match(run.error?.stack ?? '', /at run \(jobs\/playwright-own\.ts:5:34\)/)
  },
})
