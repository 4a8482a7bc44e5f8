// `node scripts/test-run.mjs <concurrency> <file for the outcomes> <test file …>`: runs test files in the order given, so
// many at a time; `node --test` would sort them. Its exit code is 1 when a test failed.
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { root } from './setup.mjs'
import testOutcome from './test-outcome.mjs'

const [concurrency, outcomes, ...files] = process.argv.slice(2)
const stopping = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => stopping.abort())

const tests = run({
  files,
  cwd: root,
  concurrency: Number(concurrency),
  timeout: 180_000,
  execArgv: ['--disable-warning=ExperimentalWarning', '--import', join(root, 'scripts/loader.mjs')],
  signal: stopping.signal,
})
tests.on('test:fail', ({ todo }) => {
  if (todo === undefined || todo === false) process.exitCode = 1
})
tests.compose(testOutcome).pipe(createWriteStream(outcomes))
tests.compose(spec).pipe(process.stdout)
