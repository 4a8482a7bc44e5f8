import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, type Logger } from './log.ts'

const written = async (human: boolean, write: (log: Logger) => void, level?: string) => {
  const lines: string[] = []
  write(await createLog('test', { human, level, to: { write: line => void lines.push(line) } }))
  return lines.join('')
}

test('a line is one JSON object with its time, level and program', async () => {
  const text = await written(false, log => log.child({ plugin: 'auth' }).info({ n: 1 }, 'done'))
  const line = JSON.parse(text)
  assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(
    { ...line, time: 0 },
    { level: 'info', time: 0, name: 'test', plugin: 'auth', n: 1, msg: 'done' },
  )
})

test('credentials do not reach the log, however deep they are nested', async () => {
  const secret = 'correct-horse'
  const names = [
    'password',
    'passwordHash',
    'token',
    'secret',
    'authorization',
    'cookie',
    'set-cookie',
    'ADMIN_TOKEN',
  ]
  for (const human of [false, true]) {
    for (const name of names) {
      for (const value of [{ [name]: secret }, { a: { [name]: secret } }, { a: { b: { [name]: secret } } }]) {
        const text = await written(human, log => log.info(value, 'careless'))
        assert.doesNotMatch(text, /correct-horse/, JSON.stringify(value))
        assert.match(text, /\[redacted\]/)
        assert.match(text, /careless/)
      }
    }
  }
})

test('the level is the requested one, and info for an invalid one', async () => {
  const both = (level?: string) =>
    written(
      false,
      log => {
        log.debug('quiet')
        log.info('loud')
      },
      level,
    )
  assert.match(await both('debug'), /quiet.*loud/s)
  assert.equal(await both('warn'), '')
  for (const level of [undefined, '', 'shout']) assert.match(await both(level), /^(?!.*quiet).*loud/s)
})
