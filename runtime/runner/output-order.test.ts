import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { oneJob, startInstance, until } from '../engine.fixture.ts'
import { logLines } from './log-line.ts'

/** What a job with this body wrote, line by line. */
async function written(t: TestContext, body: string) {
  const job = `import { spawnSync, execFileSync } from 'node:child_process'
import fs, { writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
${oneJob(`async c => { ${body} }`)}`
  const { engine, run } = await startInstance(t, { files: { 'manifest.ts': job } })
  const over = await run('job')
  const lines = logLines(engine.timedLog(over.id)).map(({ stream, text }) => `${stream} ${text}`)
  return { over, lines, log: engine.log(over.id) }
}

const numbered = (count: number, stream: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => `${stream(i)} ${i}`)

test('lines to both streams keep the order of writing', async t => {
  const { lines } = await written(
    t,
    `for (let i = 0; i < 12; i++) (i % 2 ? console.error : console.log)(i)
     for (let i = 12; i < 2000; i++) (i % 100 === 50 ? console.error : console.log)(i)`,
  )
  assert.deepEqual(
    lines,
    numbered(2000, i => (i < 12 ? (i % 2 ? 'err' : 'out') : i % 100 === 50 ? 'err' : 'out')),
  )
})

test('lines written by other means, and by child processes, keep their order too', async t => {
  const ways = [
    'console.log(i)',
    'process.stderr.write(i + "\\n")',
    'writeSync(1, i + "\\n")',
    'console.warn(i)',
    'c.log(i)',
    'fs.writeFileSync(2, i + "\\n")',
    'spawnSync("sh", ["-c", "echo " + i], { stdio: "inherit" })',
    'spawnSync("sh", ["-c", "echo " + i + " >&2"], { stdio: "inherit" })',
    'console.log(i)',
    'execFileSync("sh", ["-c", "echo " + i + " >&2"])',
  ]
  const { lines } = await written(
    t,
    `let i = 0\n${Array(3)
      .fill(`${ways.join('; i++\n')}; i++\n`)
      .join('')}`,
  )
  assert.deepEqual(
    lines,
    numbered(30, i => (i % 2 ? 'err' : 'out')),
  )
})

test('more output than the pipes hold arrives complete and in order, partial lines included', async t => {
  const { lines, over } = await written(
    t,
    `for (let i = 0; i < 40; i++) {
       process.stdout.write(i + ' ' + 'o'.repeat(5000))
       process.stdout.write('\\n')
       process.stderr.write(i + ' ' + 'e'.repeat(5000) + '\\n')
     }`,
  )
  assert.equal(over.status, 'succeeded')
  assert.deepEqual(
    lines.map(line => `${line.slice(0, 7)}${line.length}`),
    Array.from({ length: 40 }, (_, i) =>
      ['out', 'err'].map(name => `${name} ${i} ${name[0] === 'o' ? 'o' : 'e'}`.slice(0, 7)),
    )
      .flat()
      .map((beginning, at) => `${beginning}${`out ${Math.floor(at / 2)} `.length + 5000}`),
  )
})

for (const [how, end, status] of [
  ['process.exit', 'process.exit(3)', 'exit code 3'],
  ['an abort', 'process.abort()', 'SIGABRT'],
  ['SIGKILL', 'process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
  [
    'an error that nothing caught',
    'setImmediate(() => { throw new Error("thrown") }); await new Promise(() => {})',
    'thrown',
  ],
] as const) {
  test(`all output before ${how} arrives, however much it is`, async t => {
    const { over, lines } = await written(
      t,
      `for (let i = 0; i < 200; i++) (i % 2 ? console.error : console.log)(i + ' ' + 'x'.repeat(2000)); ${end}`,
    )
    assert.match(over.error?.message ?? '', new RegExp(status))
    assert.deepEqual(
      lines.slice(0, 200).map(line => line.slice(0, line.indexOf(' x'))),
      numbered(200, i => (i % 2 ? 'err' : 'out')),
    )
  })
}

test('binary output, and output that resembles our marks, is harmless', async t => {
  const { log, over } = await written(
    t,
    `const mark = '\\x1b_' + process.env.LONGHOUSE_PROCESS + ';'
     console.log(process.env.LONGHOUSE_PROCESS.slice(0, 4))
     process.stdout.write('a' + mark)
     process.stdout.write('no number\\n')
     console.error('b\\x1b_' + mark.slice(2, 9))
     process.stdout.write(Buffer.from([0xc3]))
     await new Promise(done => setTimeout(done, 20))
     process.stdout.write(Buffer.from([0xbc, 10]))
     process.stdout.write(mark + '12')`,
  )
  assert.equal(over.status, 'succeeded')
  assert.match(log.replaceAll('\x1b_', '<'), /^run-\na<run-[\w-]+;no number\nb<run-\w+\nü\n<run-[\w-]+;12$/)
})

test('a job that forges marks or closes an output is delayed briefly, and keeps all its output', async t => {
  const forged = await written(
    t,
    `writeSync(1, '\\x1b_' + process.env.LONGHOUSE_PROCESS + ';900;1\\x1b\\\\')
     for (let i = 0; i < 300; i++) console.log(i + ' ' + 'x'.repeat(1000))
     console.error('end')`,
  )
  assert.equal(forged.over.status, 'succeeded')
  assert.deepEqual(
    forged.lines.filter(line => line.startsWith('out')).map(line => line.slice(0, line.indexOf(' x'))),
    numbered(300, () => 'out'),
  )
  assert.ok(forged.lines.includes('err end'))
  const closed = await written(
    t,
    `fs.closeSync(2); for (let i = 0; i < 300; i++) console.log(i + ' ' + 'x'.repeat(1000))`,
  )
  assert.equal(closed.lines.length, 300)
})

test('a partial line is shown while its job waits', async t => {
  const { engine, ended } = await startInstance(t, {
    files: {
      'manifest.ts': oneJob(
        `async ({ signal }) => { process.stderr.write('asking …'); await new Promise(done => signal.addEventListener('abort', done)) }`,
      ),
    },
  })
  const { id } = engine.run('job', { trigger: 'manual' })
  await until(() => engine.log(id) === 'asking …', 'the line shows')
  await engine.cancel(id)
  await ended(id)
})

test('a job may capture its own output, or end it', async t => {
  const { lines, over } = await written(
    t,
    `const write = process.stdout.write
     let taken = ''
     process.stdout.write = text => { taken += text; return true }
     console.log('kept back')
     process.stdout.write = write
     console.error(taken.trim())
     await new Promise(done => process.stdout.write('told\\n', done))
     process.stdout.end('last\\n')
     process.stdout.on('error', error => console.error(error.code))
     console.log('after the end')
     await new Promise(done => setTimeout(done, 20))`,
  )
  assert.equal(over.status, 'succeeded')
  assert.deepEqual(lines, ['err kept back', 'out told', 'out last', 'err ERR_STREAM_WRITE_AFTER_END'])
})

test('an output that a job closed is not written to again, whichever file reuses its number', async t => {
  for (const [closed, printed] of [
    [1, 'console.error("err")'],
    [2, 'console.log("out")'],
  ] as const) {
    const { over, lines } = await written(
      t,
      `console.log('before'); console.error('before')
       fs.mkdirSync('data', { recursive: true })
       fs.closeSync(${closed})
       const file = fs.openSync('data/mine.txt', 'w')
       ${printed}
       console.log('lost?'); console.error('lost?'); process.stdout.write(''); process.stderr.write('')
       spawnSync('true')
       ${printed}
       writeSync(file, 'mine')
       return [file, fs.readFileSync('data/mine.txt', 'utf8')]`,
    )
    assert.deepEqual([over.status, over.error, over.result], ['succeeded', null, [closed, 'mine']])
    const [stays, word] = closed === 1 ? ['err', 'err'] : ['out', 'out']
    assert.deepEqual(
      lines.filter(line => line.startsWith(`${stays} `)),
      [`${stays} before`, `${stays} ${word}`, `${stays} lost?`, `${stays} ${word}`],
    )
  }
})

test('writing to a stream that the job has ended breaks nothing', async t => {
  const { over, lines } = await written(
    t,
    `console.log('before'); process.stdout.end(); process.stderr.end('last\\n')
     await new Promise(done => setTimeout(done, 20))
     console.error('after'); console.log('after')
     return 1`,
  )
  assert.deepEqual([over.status, over.error, over.result], ['succeeded', null, 1])
  assert.deepEqual(lines, ['out before', 'err last', 'err after', 'out after'])
})
