import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { registry, startInstance } from '../engine.fixture.ts'
import { failureInWords } from './failure.ts'

const ways = {
  refused: 'await fetch(params.closed)',
  returned: 'return fetch(params.closed)',
  together: 'await Promise.all([fetch(params.closed), 1])',
  json: 'return (await fetch(params.open + "/json")).json()',
  cut: 'await (await fetch(params.open + "/cut")).text()',
  late: 'await fetch(params.open + "/never", { signal: AbortSignal.timeout(50) })',
  file: "await readFile('data/nowhere.txt')",
  folder: "await fs.promises.readdir('data/nowhere')",
  plain: "throw new Error('no report', { cause: new Error('no rows', { cause: 'empty' }) })",
  several:
    "throw new Error('none', { cause: new AggregateError([new Error('first'), new Error('second')]) })",
}

test('an error from Node names the calling line of the job, and the cause', async t => {
  const server = createServer((request, response) => {
    if (request.url === '/json') response.end('{nope')
    if (request.url === '/cut')
      response.writeHead(200, { 'Content-Length': '99' }).write('x', () => response.destroy())
  })
  await new Promise<void>(done => void server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const gone = createServer()
  await new Promise<void>(done => void gone.listen(0, '127.0.0.1', done))
  const at = (of: typeof server) => `http://127.0.0.1:${(of.address() as AddressInfo).port}`
  const params = { open: at(server), closed: at(gone) }
  await new Promise(done => gone.close(done))

  const lines = Object.entries(ways).map(
    ([id, code]) => `export async function ${id}({ params }: any) { ${code} }`,
  )
  const { run } = await startInstance(t, {
    files: {
      'jobs/all.ts': `import fs from 'node:fs'\nimport { readFile } from 'node:fs/promises'\n${lines.join('\n')}\n`,
      'manifest.ts': `${registry}import * as all from './jobs/all'\n${Object.keys(ways)
        .map(id => `jobRegistry.register({ id: '${id}', cron: '@daily', func: all.${id} })`)
        .join('\n')}`,
    },
  })
  const words: Record<string, RegExp> = {
    refused: /^TypeError: fetch failed: connect ECONNREFUSED 127\.0\.0\.1:\d+$/,
    returned: /^TypeError: fetch failed: connect ECONNREFUSED /,
    together: /^TypeError: fetch failed: connect ECONNREFUSED /,
    json: /^SyntaxError: Expected property name/,
    cut: /^TypeError: terminated: other side closed$/,
    late: /^TimeoutError: The operation was aborted due to timeout$/,
    file: /^ENOENT: no such file or directory, open 'data\/nowhere.txt'$/,
    folder: /^ENOENT: no such file or directory, scandir 'data\/nowhere'$/,
    plain: /^no report: no rows$/,
    several: /^none: first; second$/,
  }
  for (const [index, id] of Object.keys(ways).entries()) {
    const { error } = await run(id, params)
    assert.match(error?.message ?? '', words[id] as RegExp)
    assert.match(
      error?.stack ?? '',
      new RegExp(`at (async )?${id} \\(jobs/all\\.ts:${index + 3}:\\d+\\)`),
      `${id}: ${error?.stack}`,
    )
    assert.doesNotMatch(error?.stack ?? '', /node:|runner/)
  }
  const { error } = await run('plain', params)
  assert.match(error?.stack ?? '', /Caused by: Error: no rows[\s\S]*Caused by: empty/)
})

test('the error of a program that needs /dev/shm starts with what to do', () => {
  const words = (error: Error) => failureInWords(error, { repo: '/r' }).message
  const chromium = 'Creating shared memory in /dev/shm/.org.chromium.x failed: Permission denied (13)'
  const python = 'self._semlock = _multiprocessing.SemLock(\nPermissionError: [Errno 13] Permission denied'
  for (const output of [chromium, python]) {
    const said = words(new Error(`Command failed: report\n${output}`))
    assert.match(
      said,
      /^jobs have no \/dev\/shm \(start Chromium with --disable-dev-shm-usage; in Python use/,
    )
    assert.ok(said.endsWith(output))
  }
  assert.equal(words(new Error('/dev/shmoo is unrelated')), '/dev/shmoo is unrelated')
})
