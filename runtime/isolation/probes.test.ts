import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { registry, startInstance } from '../engine.fixture.ts'

const look = `import fs, { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { constants } from 'node:fs'

export function look(path: string) {
  const quiet = { throwIfNoEntry: false }
  let denied = ''
  try { readFileSync(path) } catch (error) { denied = (error as { code: string }).code }
  return {
    there: [existsSync(path), fs.existsSync(path), existsSync('manifest.ts')],
    stat: [statSync(path, quiet) ?? null, lstatSync(path, quiet) ?? null, statSync('manifest.ts').isFile()],
    constants: (process as any).binding('constants').fs.O_RDWR === constants.O_RDWR,
    denied,
  }
}
`

test('a question whether a file exists gets an answer where reading it is denied, in threads and programs too', async t => {
  const { run, dir } = await startInstance(t, {
    files: {
      'package.json': '{ "type": "module" }',
      'look.ts': look,
      'child.ts': `import { parentPort, workerData } from 'node:worker_threads'
import { look } from './look'
if (parentPort) parentPort.postMessage(look(workerData))
else console.log(JSON.stringify(look(process.argv[2] ?? '')))`,
      'manifest.ts': `${registry}import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { look } from './look'

const whileReading = look(process.cwd() + '/../longhouse.db')

jobRegistry.register({ id: 'job', cron: '@daily', func: async ({ params }) => {
  const path = params.path as string
  const child = new URL('./child.ts', import.meta.url)
  const [inThread] = await once(new Worker(child, { workerData: path }), 'message')
  const inProgram = execFileSync(process.execPath, ['child.ts', path], { encoding: 'utf8' })
  return [look(path), inThread, JSON.parse(inProgram), whileReading]
} })`,
    },
  })
  const path = join(dir, 'secret.key')
  writeFileSync(path, 'do not tell')
  const { result, error } = await run('job', { path })
  const answer = {
    there: [false, false, true],
    stat: [null, null, true],
    constants: true,
    denied: 'ERR_ACCESS_DENIED',
  }
  assert.deepEqual([result, error], [[answer, answer, answer, answer], null])
})
