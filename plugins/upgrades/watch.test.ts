import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventReader } from '../../src/http/events/readers.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { Watch } from './watch.ts'

const places = 50
/** Ten streams each. */
const someone = (number: number): EventReader => ({
  who: `token ${number % 5}`,
  stillMay: async () => true,
  onAccessChange: () => () => {},
})
const running = () => ({ text: 'running', isOver: false })

/** Lets what is due go on. */
const settled = () => new Promise(resolve => setImmediate(resolve))

/** Takes every place, and returns what took them. */
const fill = (watch: Watch, read: () => { text: string; isOver: boolean }) =>
  Array.from({ length: places }, (_, i) => watch.stream(someone(i), read))

test('a stream whose read fails breaks, and gives its place back', async () => {
  const watch = new Watch(manualClock())
  const broken = fill(watch, () => {
    throw new Error('the table is locked')
  })
  for (const answer of broken) await assert.rejects(answer.text(), /the table is locked/)
  const [first] = fill(watch, () => ({ text: 'done', isOver: true }))
  assert.equal(await first?.text(), 'retry: 2000\n\ndata: done\n\n')
})

test('a reader who reads nothing for a minute loses its place, and one who reads keeps it', async () => {
  const clock = manualClock()
  const watch = new Watch(clock)
  const answers = fill(watch, running)
  const reader = answers[0]?.body?.getReader()
  assert.ok(reader)
  await reader.read()
  await reader.read()
  const more = reader.read()
  assert.throws(() => watch.stream(someone(9), running), /already/)
  await settled()
  clock.advance(15_000)
  assert.match(new TextDecoder().decode((await more).value), /still here/)
  const again = reader.read()
  await settled()
  clock.advance(45_000)
  assert.match(new TextDecoder().decode((await again).value), /still here/)
  await assert.rejects(answers[1]?.text() ?? Promise.resolve(), /not read/)
  const others = Array.from({ length: places - 1 }, (_, i) => watch.stream(someone(i + 1), running))
  assert.throws(() => watch.stream(someone(9), running), /already/)
  for (const { body } of others) await body?.cancel()
  watch.stream(someone(0), running)
  watch.stop()
})

test('a stream ends with its reader’s access, and one reader cannot take every place', async () => {
  const clock = manualClock()
  const watch = new Watch(clock)
  let may = true
  let tell = () => {}
  const one: EventReader = {
    who: 'token one',
    stillMay: async () => may,
    onAccessChange: listener => {
      tell = listener
      return () => {}
    },
  }
  const others = Array.from({ length: 9 }, () => watch.stream(one, running))
  const last = watch.stream(one, running)
  assert.throws(() => watch.stream(one, running), /You follow 10 already/)
  await watch.stream(someone(1), running).body?.cancel()
  const reading = last.text()
  await settled()
  may = false
  tell()
  clock.advance(1000)
  assert.equal(await reading, 'retry: 2000\n\ndata: running\n\n: your access has ended\n\n')
  may = true
  watch.stream(one, running)
  watch.stop()
  for (const other of others) assert.match(await other.text(), /: the program is stopping\n\n$/)
})
