import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { ask } from './channel.ts'

/** What a job may do to test its own code with a clock and files that it made. */
const replacements = `for (const [holder, name] of [[globalThis, 'setInterval'], [fs, 'writeSync'], [fs, 'readSync'],
  [process, 'kill'], [Atomics, 'wait']]) holder[name] = () => { throw new Error(name + ' is replaced') }`

/** Starts a process that waits for its question, makes a call with it if it is to, and answers with both. */
function start(t: TestContext, endsWith: number | null) {
  const program = `import fs from 'node:fs'
import { waitingChannelToParent } from ${JSON.stringify(import.meta.resolve('./parent-channel.ts'))}
const parent = waitingChannelToParent(${endsWith})
const question = parent.waitForQuestion()
${replacements}
if (question.next === 'work') setTimeout(() => {}, 100_000)
else parent.answer({ question, reply: question.next === 'call' ? await parent.call(question) : null })`
  const child = spawn(
    process.execPath,
    [
      `--import=${import.meta.resolve('../../scripts/loader.mjs')}`,
      `--import=data:text/javascript,${encodeURIComponent(program)}`,
      '--eval=0',
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
  )
  t.after(() => child.kill('SIGKILL'))
  const pipe = child.stdio[3] as Duplex
  return { child, pipe, ended: once(child, 'exit') as Promise<[number | null, string | null]> }
}

for (const endsWith of [process.pid, null]) {
  for (const next of ['answer', 'call']) {
    test(`a question is answered, by way of ${next}, ${endsWith === null ? 'watched' : 'unwatched'}`, async t => {
      const { child, pipe, ended } = start(t, endsWith)
      // More than a pipe takes at once.
      const question = { next, text: 'ä'.repeat(200_000) }
      const calls: unknown[] = []
      const { answer, close } = ask(pipe, question, 2 ** 20, async call => {
        calls.push(call)
        return 'reply'
      })
      const reply = next === 'call' ? 'reply' : null
      // A report of the difference would be as long as the texts.
      assert.ok(isDeepStrictEqual(await answer, { said: { question, reply } }))
      assert.ok(isDeepStrictEqual(calls, next === 'call' ? [question] : []))
      assert.equal(child.exitCode, null)
      child.kill('SIGKILL')
      assert.deepEqual(await ended, [null, 'SIGKILL'])
      close()
    })
  }
}

test('a process ends with its runtime, while it waits and while it works', async t => {
  const waits = start(t, null)
  waits.pipe.destroy()
  assert.deepEqual(await waits.ended, [null, 'SIGKILL'])
  const works = start(t, null)
  works.pipe.write(`${JSON.stringify({ next: 'work' })}\n`, () => works.pipe.destroy())
  assert.deepEqual(await works.ended, [null, 'SIGKILL'])
})

test('a process whose runtime had ended before it was watched ends when it is asked', async t => {
  const { pipe, ended } = start(t, 1)
  pipe.write(`${JSON.stringify({ next: 'work' })}\n`)
  assert.deepEqual(await ended, [null, 'SIGKILL'])
})
