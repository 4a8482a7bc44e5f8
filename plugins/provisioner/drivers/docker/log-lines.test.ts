import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf } from './log-lines.ts'

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
