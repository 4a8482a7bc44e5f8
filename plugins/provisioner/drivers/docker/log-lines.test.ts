import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesAfter, linesOf, newestLines } from './log-lines.ts'

const at = '2026-01-01T12:00:00.123456789Z'
const ms = Date.parse(at)

function frame(stream: 1 | 2, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload)
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

async function read(log: Buffer, pieceBytes: number) {
  async function* pieces() {
    for (let begin = 0; begin < log.length; begin += pieceBytes) yield log.subarray(begin, begin + pieceBytes)
  }
  return await Array.fromAsync(linesOf(pieces()))
}

test('lines are the same however the connection cuts the log', async () => {
  const split = Buffer.from('größer\n')
  const log = Buffer.concat([
    frame(1, `${at} one\n`),
    frame(2, `${at} an error: a b\r\n`),
    frame(1, `${at} a long line, `),
    frame(2, `${at} between\n`),
    frame(1, `${at} that goes on\n`),
    frame(1, Buffer.concat([Buffer.from(`${at} `), split.subarray(0, 3)])),
    frame(1, Buffer.concat([Buffer.from(`${at} `), split.subarray(3)])),
    frame(1, `${at} \n`),
    frame(1, `${at} without an end`),
  ])
  for (const bytes of [1, 3, 7, 64, 10_000])
    assert.deepEqual(
      (await read(log, bytes)).map(({ at, stream, text }) => [at, stream, text]),
      [
        [ms, 'out', 'one'],
        [ms, 'err', 'an error: a b'],
        [ms, 'err', 'between'],
        [ms, 'out', 'a long line, that goes on'],
        [ms, 'out', 'größer'],
        [ms, 'out', ''],
        [ms, 'out', 'without an end'],
      ],
    )
})

test('a line without an end is kept up to 64 KiB', async () => {
  const part = frame(1, `${at} ${'x'.repeat(16_000)}`)
  const [line] = await read(
    Buffer.concat([...Array.from({ length: 50 }, () => part), frame(1, `${at} \n`)]),
    4096,
  )
  assert.equal(line?.text.length, 64 * 1024)
})

/** An engine's log, of which so many of the newest parts can be read. */
const logOf = (frames: readonly Buffer[]) => (parts: number | null) =>
  (async function* () {
    yield* frames.slice(parts === null ? 0 : Math.max(0, frames.length - parts))
  })()

test('as many lines as were asked for are read, each from its beginning, however many parts a line has', async () => {
  const long = (name: string, stream: 1 | 2 = 1) => [
    frame(stream, `${at} ${name} begins`),
    ...Array.from({ length: 4 }, () => frame(stream, `${at} ${'x'.repeat(10)}`)),
    frame(stream, `${at} ends\n`),
  ]
  const frames = [
    ...[...long('first'), ...long('second'), frame(2, `${at} an error\n`)],
    ...Array.from({ length: 30 }, (_, index) => frame(1, `${at} line ${index}\n`)),
    ...[...long('third'), ...long('fourth')],
  ]
  const names = (lines: readonly { text: string }[]) => lines.map(({ text }) => text.replace(/ begins.*/, ''))
  for (const most of [1, 2, 3, 10, 32, 33, 34, 35, 36, 100]) {
    const newest = await newestLines(logOf(frames), most)
    const wanted = [
      ...['first', 'second', 'an error', ...Array.from({ length: 30 }, (_, index) => `line ${index}`)],
      ...['third', 'fourth'],
    ].slice(-most)
    assert.deepEqual(names(newest.lines), wanted)
    const followed = await Array.fromAsync(linesAfter(logOf(frames)(newest.parts), newest))
    assert.deepEqual(names(followed), wanted, 'and the same when it is followed')
    // What is written between the two requests pushes older parts out.
    const later = [...frames, ...long('fifth', 2)]
    const moved = names(await Array.fromAsync(linesAfter(logOf(later)(newest.parts), newest)))
    assert.ok(
      moved.every(name => [...wanted, 'fifth'].includes(name)),
      `${moved}`,
    )
  }
})

test('a line that goes on is marked: one that is too long, and one that is not ended yet', async () => {
  const lines = await read(
    Buffer.concat([
      ...[frame(1, `${at} whole\n`), frame(1, `${at} ${'x'.repeat(64 * 1024)}\n`)],
      ...[frame(1, `${at} ${'x'.repeat(64 * 1024 + 1)}\n`), frame(1, `${at} not ended`)],
    ]),
    4096,
  )
  assert.deepEqual(
    lines.map(({ isCut }) => isCut),
    [false, false, true, true],
  )
})
