import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '../../testing/clock.ts'
import { EventStreams, type ServerEvent } from './event-streams.ts'
import type { EventReader } from './readers.ts'

/** Lets what is due go on. */
const settled = () => new Promise(resolve => setImmediate(resolve))

/** A person whose access a test ends. */
function person(who = 'ada') {
  const listeners = new Set<() => void>()
  let may = true
  let asked = 0
  const reader: EventReader = {
    who,
    stillMay: async () => {
      asked++
      return may
    },
    onAccessChange: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return {
    reader,
    asked: () => asked,
    listening: () => listeners.size,
    endAccess: () => {
      may = false
    },
    tell: () => {
      for (const each of listeners) each()
    },
  }
}

function start({
  most = 3,
  mostOfOne = 2,
  aheadBytes,
}: {
  most?: number
  mostOfOne?: number
  aheadBytes?: number
} = {}) {
  const clock = manualClock()
  const stopping = new AbortController()
  const bounds = { most, mostOfOne, ...(aheadBytes !== undefined && { aheadBytes }) }
  return { clock, stopping, streams: new EventStreams({ clock, stopping: stopping.signal, ...bounds }) }
}

/** Events that a test gives, until the stream is over. */
function given(...first: ServerEvent[]) {
  const waiting = [...first]
  let wake = () => {}
  let isOver = false
  return {
    isOver: () => isOver,
    give: (event: ServerEvent) => {
      waiting.push(event)
      wake()
    },
    async *source(signal: AbortSignal): AsyncGenerator<ServerEvent> {
      signal.addEventListener('abort', () => wake())
      try {
        while (!signal.aborted) {
          const event = waiting.shift()
          if (event) yield event
          else
            await new Promise<void>(resolve => {
              wake = resolve
            })
        }
      } finally {
        isOver = true
      }
    },
  }
}

test('events keep their names, ids and lines', async () => {
  const { streams } = start()
  const answer = streams.open(person().reader, async function* () {
    yield { id: '7', data: 'one\r\ntwo\rthree\n' }
    yield { name: 'end', data: '{}' }
  })
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.equal(
    await answer.text(),
    'retry: 2000\n\nid: 7\ndata: one\ndata: two\ndata: three\ndata: \n\nevent: end\ndata: {}\n\n',
  )
})

test('an open stream ends when its reader’s access does: after a change, with a beat, and before an event', async () => {
  for (const notice of ['a change', 'a beat', 'an event'] as const) {
    const { streams, clock } = start()
    const ada = person()
    const events = given({ data: 'first' })
    const text = streams.open(ada.reader, events.source).text()
    await settled()
    clock.advance(1000)
    ada.tell()
    await settled()
    ada.endAccess()
    clock.advance(1000)
    if (notice === 'a change') ada.tell()
    if (notice === 'a beat') clock.advance(15_000)
    if (notice === 'an event') events.give({ data: 'not for ada' })
    assert.equal(await text, 'retry: 2000\n\ndata: first\n\n: your access has ended\n\n', notice)
    await settled()
    assert.ok(events.isOver(), 'the source is let go')
    assert.equal(ada.listening(), 0)
  }
})

test('many changes ask for access once a second', async () => {
  const { streams, clock } = start()
  const ada = person()
  const events = given()
  const answer = streams.open(ada.reader, events.source)
  for (let i = 0; i < 100; i++) ada.tell()
  await settled()
  assert.equal(ada.asked(), 1)
  for (let i = 0; i < 100; i++) ada.tell()
  await settled()
  assert.equal(ada.asked(), 1)
  clock.advance(1000)
  await settled()
  assert.equal(ada.asked(), 2, 'and the last change is not missed')
  await answer.body?.cancel()
})

test('places are limited in all and for each reader, and come back however a stream ends', async () => {
  const { streams, clock, stopping } = start({ most: 3, mostOfOne: 2 })
  const [ada, bob] = [person('ada'), person('bob')]
  const forever = () => given().source
  const first = streams.open(ada.reader, forever())
  const second = streams.open(ada.reader, forever())
  assert.throws(() => streams.open(ada.reader, forever()), { status: 503, detail: /You follow 2 already/ })
  const third = streams.open(bob.reader, forever())
  assert.throws(() => streams.open(bob.reader, forever()), {
    status: 503,
    detail: /3 clients are following already/,
    headers: { 'Retry-After': '15' },
  })
  await first.body?.cancel()
  const broken = streams.open(ada.reader, async function* () {
    yield { data: 'one' }
    throw new Error('the table is locked')
  })
  await assert.rejects(broken.text(), /the table is locked/)
  await streams.open(ada.reader, async function* () {}).text()
  const unread = streams.open(ada.reader, given({ data: 'x'.repeat(100_000) }).source)
  for (let i = 0; i < 5; i++) {
    await settled()
    clock.advance(15_000)
  }
  await assert.rejects(unread.text(), /not read/)
  const last = streams.open(ada.reader, forever())
  stopping.abort()
  for (const each of [second, third, last]) assert.match(await each.text(), /: the program is stopping\n\n$/)
  assert.match(await streams.open(bob.reader, forever()).text(), /^: the program is stopping\n\n$/)
})

test('a quiet stream says that it is still there, and a slow reader gets the next event once it has room', async () => {
  const { streams, clock } = start({ aheadBytes: 1 })
  const taken: number[] = []
  const source = async function* () {
    for (let i = 1; ; i++) {
      taken.push(i)
      yield { data: String(i) }
    }
  }
  const reader = streams.open(person().reader, source).body?.pipeThrough(new TextDecoderStream()).getReader()
  const read = async () => (await reader?.read())?.value
  assert.equal(await read(), 'retry: 2000\n\n')
  await settled()
  assert.ok(taken.length <= 3, `${taken.length} events were taken ahead`)
  await reader?.cancel()
  const quiet = streams
    .open(person().reader, given().source)
    .body?.pipeThrough(new TextDecoderStream())
    .getReader()
  await quiet?.read()
  const beat = quiet?.read()
  await settled()
  clock.advance(15_000)
  assert.equal((await beat)?.value, ': still here\n\n')
  await quiet?.cancel()
})
