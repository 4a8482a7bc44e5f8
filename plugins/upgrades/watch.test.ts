import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../src/testing/clock.ts'
import { Watch } from './watch.ts'

const places = 50
const running = () => ({ text: 'running', isOver: false })

/** Lets what is due go on. */
const settled = () => new Promise(resolve => setImmediate(resolve))

/** Takes every place, and returns what took them. */
const fill = (watch: Watch, read: () => { text: string; isOver: boolean }) =>
  Array.from({ length: places }, () => watch.stream(read))

test('a stream whose read fails breaks, and gives its place back', async () => {
  const watch = new Watch(manualClock())
  const broken = fill(watch, () => {
    throw new Error('the table is locked')
  })
  for (const answer of broken) await assert.rejects(answer.text(), /the table is locked/)
  const [first] = fill(watch, () => ({ text: 'done', isOver: true }))
  assert.equal(await first?.text(), 'data: done\n\n')
})

test('a reader who reads nothing for a minute loses its place, and one who reads keeps it', async () => {
  const clock = manualClock()
  const watch = new Watch(clock)
  const answers = fill(watch, running)
  const reader = answers[0]?.body?.getReader()
  assert.ok(reader)
  await reader.read()
  const more = reader.read()
  assert.throws(() => watch.stream(running), /already/)
  await settled()
  clock.advance(15_000)
  assert.match(new TextDecoder().decode((await more).value), /still there/)
  const again = reader.read()
  await settled()
  clock.advance(45_000)
  assert.match(new TextDecoder().decode((await again).value), /still there/)
  await assert.rejects(answers[1]?.text() ?? Promise.resolve(), /not read/)
  const others = Array.from({ length: places - 1 }, () => watch.stream(running))
  assert.throws(() => watch.stream(running), /already/)
  for (const { body } of others) await body?.cancel()
  watch.stream(running)
  watch.stop()
})
